package lexicon

import "strings"

// irregular are common words that spelling rules misread. From general knowledge.
var irregular = func() map[string]string {
	m := map[string]string{}
	for line := range strings.SplitSeq(irregularWords, "\n") {
		for entry := range strings.FieldsSeq(line) {
			word, sounds, _ := strings.Cut(entry, "=")
			m[word] = sounds
		}
	}
	return m
}()

const irregularWords = `
a=@ i=Y the=D@ of=@v to=tu too=tu two=tu one=w@n once=w@ns are=Ar have=hav has=haz was=w@z were=w@r is=Iz as=az his=hIz he=hi she=Si we=wi me=mi be=bi
do=du does=d@z done=d@n don=dAn who=hu whose=huz whom=hum you=yu your=yor yours=yorz they=DE them=Dem their=Der there=Der then=Den than=Dan this=DIs that=Dat these=Diz those=Doz
what=w@t where=wer when=wen why=wY how=hW now=nW some=s@m come=k@m coming=k@mIN from=fr@m any=eni many=meni said=sed says=sez been=bIn give=gIv given=gIv@n giving=gIvIN live=lIv get=get
girl=g@rl gift=gIft give=gIv year=yir eye=Y eyes=Yz ear=ir hear=hir heart=hArt hearts=hArts blood=bl@d flood=fl@d foot=fut good=gud could=kud would=wud should=Sud put=put push=puS
pull=pul full=ful bull=bul wool=wul woman=wum@n women=wIm@n people=pip@l other=@D@r mother=m@D@r brother=br@D@r another=@n@D@r father=fAD@r either=iD@r neither=niD@r nothing=n@TIN month=m@nT months=m@nTs
love=l@v above=@b@v glove=gl@v touch=t@C young=y@N country=k@ntri double=d@b@l trouble=tr@b@l enough=In@f rough=r@f tough=t@f cough=kAf through=Tru though=Do although=AlDo thought=TAt brought=brAt
doctor=dAkt@r sugar=Sug@r sure=Sur island=Yl@nd answer=ans@r half=haf calf=kaf hour=W@r honest=An@st iron=Y@rn busy=bIzi business=bIzn@s minute=mIn@t build=bIld built=bIlt guide=gYd guard=gArd
great=grEt break=brEk steak=stEk bear=ber wear=wer tear=ter head=hed dead=ded death=deT breath=breT breast=brest health=helT ready=redi heavy=hevi weather=weD@r measure=meZ@r pleasure=pleZ@r
early=@rli earth=@rT learn=l@rn heard=h@rd search=s@rC water=wAt@r want=wAnt watch=wAC wash=wAS warm=worm word=w@rd work=w@rk world=w@rld worse=w@rs worst=w@rst worth=w@rT
most=most both=boT host=host post=post ghost=gost only=onli over=ov@r open=op@n old=old cold=kold told=told hold=hold roll=rol control=k@ntrol know=no known=non knows=noz grow=gro show=So slow=slo low=lo blow=blo
down=dWn town=tWn brown=brWn out=Wt about=@bWt house=hWs mouth=mWT south=sWT four=for fourth=forT eight=Et height=hYt weight=wEt neighbor=nEb@r vein=vEn veins=vEnz
child=CYld mild=mYld wild=wYld find=fYnd mind=mYnd kind=kYnd behind=bihYnd sign=sYn high=hY night=nYt right=rYt light=lYt fight=fYt sight=sYt isn=Iz@n
knee=ni knees=niz know=no knife=nYf write=rYt wrote=rot wrist=rIst wrong=rAN listen=lIs@n castle=kas@l muscle=m@s@l muscles=m@s@lz fasten=fas@n often=Af@n soften=sAf@n
leave=liv leaf=lif let=let very=veri every=evri ever=ev@r never=nev@r even=iv@n seven=sev@n eleven=Ilev@n again=@gen against=@genst area=eri@ idea=Ydi@ real=ril really=rili
able=Eb@l table=tEb@l cable=kEb@l stable=stEb@l change=CEnJ range=rEnJ danger=dEnJ@r angel=EnJ@l page=pEJ stage=stEJ age=EJ cage=kEJ wage=wEJ
visual=vIZu@l usual=yuZu@l actual=akCu@l actually=akCuli usually=yuZuli sexual=sekSu@l manual=manyu@l annual=anyu@l issue=ISu tissue=tISu tissues=tISuz special=speS@l social=soS@l
ocean=oS@n patient=pES@nt patients=pES@nts ancient=EnS@nt conscious=kAnS@s science=sY@ns quiet=kwY@t diet=dY@t lion=lY@n giant=JY@nt trial=trY@l vial=vY@l dial=dY@l via=vY@
new=nu few=fyu view=vyu knew=nu blue=blu true=tru fruit=frut juice=Jus suit=sut use=yuz used=yuzd user=yuz@r music=myuzIk human=hyum@n
ask=ask path=paT bath=baT walk=wAk talk=tAk salt=sAlt also=Also always=AlwEz almost=Almost all=Al call=kAl fall=fAl small=smAl wall=wAl ball=bAl
period=piri@d comma=kAm@ colon=kol@n semicolon=semikol@n paragraph=par@graf capital=kap@t@l hyphen=hYf@n dash=daS slash=slaS bullet=bul@t quote=kwot
liquid=lIkw@d machine=m@Sin physician=f@zIS@n technician=teknIS@n stomach=st@m@k stomachs=st@m@ks ache=Ek headache=hedEk headaches=hedEks backache=bakEk toothache=tuTEk earache=irEk
syncope=sINk@pi apnea=apni@ systole=sIst@li diastole=dYast@li raphe=rEfi acne=akni facies=fESiiz scabies=skEbiz rabies=rEbiz caries=keriz herpes=h@rpiz diabetes=dY@bitiz diabetic=dY@betIk feces=fisiz
sinus=sYn@s virus=vYr@s viral=vYr@l nasal=nEz@l fetal=fit@l vagus=vEg@s vagal=vEg@l uterus=yut@r@s ureter=yur@t@r urine=yur@n urea=yuri@ ulna=@ln@ ulnar=@ln@r
disease=d@ziz diseases=d@ziz@z surgeon=s@rJ@n surgery=s@rJ@ri surgical=s@rJ@k@l medicine=med@s@n medical=med@k@l insulin=Ins@l@n aspirin=aspr@n codeine=kodin morphine=morfin caffeine=kafin
heroin=hero@n protein=protin lithium=lITi@m sodium=sodi@m calcium=kalsi@m magnesium=magnizi@m potassium=p@tasi@m
bruit=brui rales=ralz ronchi=rANkY rhonchi=rANkY pruritus=prurYt@s pruritic=prurItIk ileus=Ili@s ileum=Ili@m ilium=Ili@m coccyx=kAksIks phlegm=flem diaphragm=dY@fram asthma=azm@ asthmatic=azmatIk
schizophrenia=skIts@frini@ psychiatry=s@kY@tri psychiatric=sYkiatrIk pneumonia=n@moni@ pneumo=numo pneumothorax=numoToraks chyle=kYl chemo=kimo chemotherapy=kimoTer@pi
foley=foli boucher=buSE moya=moy@ sjogren=SogrIn sjogrens=SogrInz guillain=gi@n barre=b@rE charcot=SArko marie=m@ri tourette=turet tourettes=turets meniere=meni@r menieres=meni@rz
raynaud=reno raynauds=renoz legionnaires=liJ@nerz creutzfeldt=krOtsfelt jakob=yAkob bechet=beSet behcet=beCet behcets=beCets lachman=lAkm@n mcmurray=m@km@ri babinski=b@bInski
doppler=dApl@r holter=holt@r roux=ru en=en cesarean=s@zeri@n eustachian=yustES@n fallopian=f@lopi@n malaise=m@lEz fatigue=f@tig vaccine=vaksin vaccines=vaksinz
zero=ziro hundred=h@ndr@d thousand=TWz@nd point=pOnt eleven=Ilev@n twelve=twelv three=Tri five=fYv nine=nYn six=sIks ten=ten thirteen=T@rtin fourteen=fortin fifteen=fIftin sixteen=sIkstin seventeen=sev@ntin eighteen=Etin nineteen=nYntin twenty=twenti thirty=T@rti forty=forti fifty=fIfti sixty=sIksti seventy=sev@nti eighty=Eti ninety=nYnti
dose=dos doses=dos@z daily=dEli twice=twYs tablet=tabl@t tablets=tabl@ts milligram=mIl@gram milligrams=mIl@gramz microgram=mYkrogram micrograms=mYkrogramz
eli=elY lie=lY pie=pY die=dY tie=tY dying=dYIN lying=lYIN cafe=kafE liter=lit@r liters=lit@rz meter=mit@r diabetics=dY@betIks lasix=lEsIks
lyrica=lIr@k@ xanax=zanaks zyrtec=z@rtek zyprexa=zYpreks@ coumadin=kum@d@n eliquis=el@kw@s jardiance=JArdi@ns xarelto=z@relto ozempic=ozempIk wegovy=w@govi
`

// readWord reads a word of a–z.
func readWord(word string) string {
	if s, ok := irregular[word]; ok {
		return s
	}
	if n := len(word) - 1; n > 2 && word[n] == 's' && word[n-1] != 's' {
		if s, ok := irregular[word[:n]]; ok {
			return s + "z"
		}
	}
	index := byLetter()
	out := make([]byte, 0, len(word)+4)
	for i := 0; i < len(word); {
		step := 1
		for _, c := range index[word[i]-'a'] {
			if c.fits(word, i) {
				out, step = append(out, c.sounds...), len(c.letters)
				break
			}
		}
		i += step
	}
	return string(out)
}
