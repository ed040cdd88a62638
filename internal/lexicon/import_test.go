package lexicon_test

import (
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vesper/internal/fault"
	"vesper/internal/lexicon"
)

// place writes a file and returns its path.
func place(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func texts(l lexicon.List) string {
	var out []string
	for _, t := range l.Terms {
		out = append(out, t.Text+"/"+string(t.Kind))
	}
	return strings.Join(out, " ")
}

func check(t *testing.T, im lexicon.Import, want string, paths ...string) {
	t.Helper()
	got, err := im.Run(paths)
	if err != nil {
		t.Fatal(fault.As(err).Public)
	}
	if texts(got) != want {
		t.Errorf("got  %s\nwant %s", texts(got), want)
	}
	if got.Source.Source == "" || got.Source.Licence == "" || got.Source.Count != len(got.Terms) {
		t.Errorf("source %+v", got.Source)
	}
}

func TestRxNormGivesOnlyItsOwnUnsuppressedNames(t *testing.T) {
	t.Parallel()
	path := place(t, "RXNCONSO.RRF", `161|ENG|||||||||161|RXNORM|IN|161|acetaminophen||N|4096|
161|ENG|||||||||161|MTHSPL|SU|161|somebody's name||N|4096|
2|ENG|||||||||2|RXNORM|BN|2|Tylenol||N||
3|SPA|||||||||3|RXNORM|BN|3|Otro||N||
4|ENG|||||||||4|RXNORM|BN|4|Oldname||O||
5|ENG|||||||||5|RXNORM|MIN|5|amlodipine / benazepril||N||
6|ENG|||||||||6|RXNORM|SCD|6|acetaminophen 325 MG Oral Tablet||N||
`)
	check(t, lexicon.Import{Format: lexicon.FormatRxNorm}, "acetaminophen/generic amlodipine-benazepril/generic Tylenol/brand", path)
}

const (
	drugTxt = `"1","","Human","001","ZESTRIL TAB 10MG","","N"
"2","","Veterinary","002","BAYTRIL INJ","","N"
"3","","Human","003","APO-LISINOPRIL","","N"
`
	ingredTxt = `"1","7","LISINOPRIL (LISINOPRIL DIHYDRATE)","",""
"2","8","ENROFLOXACIN","",""
"3","9","METFORMIN HYDROCHLORIDE","",""
`
)

func TestTheDrugProductDatabaseGivesNamesForPeopleWithoutSaltsAndForms(t *testing.T) {
	t.Parallel()
	want := "lisinopril/generic metformin/generic Zestril/brand"
	im := lexicon.Import{Format: lexicon.FormatDPD}
	check(t, im, want, place(t, "ingred.txt", ingredTxt), place(t, "drug.txt", drugTxt))

	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, text := range map[string]string{"ingred.txt": ingredTxt, "drug.txt": drugTxt, "form.txt": "x"} {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	check(t, im, want, place(t, "allfiles.zip", b.String()))
}

func TestICD10CMGivesNamesOfDiseasesFromBothItsFiles(t *testing.T) {
	t.Parallel()
	im := lexicon.Import{Format: lexicon.FormatICD10CM}
	check(t, im, "cholera/disease Crohn's disease/disease headache/symptom", place(t, "order.txt", `00001 A00     0 Cholera                                                      Cholera
00002 A000    1 Cholera due to Vibrio cholerae 01, biovar cholerae           Cholera due to Vibrio cholerae 01, biovar cholerae
00003 K509    0 Crohn's disease, unspecified                                 Crohn's disease, unspecified
00004 R519    1 Headache, unspecified                                        Headache, unspecified
00005 W5501XA 1 Bitten by cat, initial encounter                             Bitten by cat, initial encounter
`))
	check(t, im, "lupus erythematosus/disease", place(t, "codes.txt", "L93     Lupus erythematosus\nE1165   Type 2 diabetes mellitus with hyperglycemia\n"))
}

func TestPlainListsNeedASource(t *testing.T) {
	t.Parallel()
	path := place(t, "list.txt", "# ours\nzanterpel\tbrand\nblue dye test\n")
	if _, err := (lexicon.Import{Format: lexicon.FormatList}).Run([]string{path}); fault.As(err).Code != "vocabulary_without_source" {
		t.Errorf("%v", err)
	}
	check(t, lexicon.Import{Format: lexicon.FormatList, Source: "us", Licence: "ours", Kind: lexicon.Lab}, "blue dye test/lab zanterpel/brand", path)
}

func TestFaultyFilesAreRefusedWithTheLine(t *testing.T) {
	t.Parallel()
	for format, text := range map[lexicon.Format]string{
		lexicon.FormatRxNorm:  "1|ENG|||||||||2|RXNORM|BN|2|Tylenol||N||\nnonsense\n",
		lexicon.FormatICD10CM: "A00 Cholera\nnonsense\n",
		lexicon.FormatList:    "fine\nnot fine\tnonsense\n",
	} {
		_, err := lexicon.Import{Format: format, Source: "x", Licence: "y"}.Run([]string{place(t, "f.txt", text)})
		if err == nil || !strings.Contains(fault.As(err).Public, "line 2") {
			t.Errorf("%s: %v", format, err)
		}
	}
	_, err := lexicon.Import{Format: lexicon.FormatDPD}.Run([]string{place(t, "drug.txt", "\"1\",\"\",\"Human\",\"1\",\"A\"\n\"2\"\n")})
	if err == nil || !strings.Contains(fault.As(err).Public, "line 2") {
		t.Errorf("dpd: %v", err)
	}
	if _, err := (lexicon.Import{Format: lexicon.FormatDPD}).Run([]string{place(t, "other.txt", "x")}); fault.As(err).Code != "vocabulary_files" {
		t.Errorf("dpd without its files: %v", err)
	}
}

func TestWrittenTermFilesAreReadBackAndLoadedFromAFolder(t *testing.T) {
	t.Parallel()
	list := lexicon.List{
		Source: lexicon.Source{Source: "us", Licence: "ours", Date: "2026-01-02"},
		Terms: []lexicon.Term{
			{Text: "Zanterpel", Kind: lexicon.Brand, Weight: 0.75, Says: []string{"zan ter pell"}, Fields: []string{"cardiology", "urology"}},
			{Text: "metformin", Kind: lexicon.Generic, Weight: 0.1},
		},
	}
	dir := t.TempDir()
	var b bytes.Buffer
	if err := lexicon.Write(&b, list); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "ours.tsv"), b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	back, err := lexicon.LoadFolder(dir)
	if err != nil || len(back) != 1 {
		t.Fatalf("%v, %v", back, err)
	}
	if got := back[0]; texts(got) != texts(list) || got.Source.Date != "2026-01-02" || got.Terms[0].Says[0] != "zan ter pell" || len(got.Terms[0].Fields) != 2 {
		t.Errorf("%+v", got)
	}
	l, err := lexicon.DefaultWith(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := l.Find("zanterpel"); !ok {
		t.Error("the folder's term is missing")
	}
	if m, _ := l.Find("metformin"); m.Weight != 1 {
		t.Errorf("a rare entry of a file replaced a common one: %+v", m)
	}
	if none, err := lexicon.DefaultWith(filepath.Join(dir, "nowhere")); err != nil || none.Fingerprint() != lexicon.Default().Fingerprint() {
		t.Errorf("a folder that does not exist: %v", err)
	}
}

func TestTermFilesWithoutSourceOrWithFaultsAreRefused(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"metformin\tgeneric\n":                                    "source",
		"# source: a\n# licence: b\nmetformin\tgeneric\t7\n":      "line 3",
		"# source: a\n# licence: b\n# kind: nonsense\n":           "line 3",
		"# source: a\n# licence: b\nmetformin\n":                  "line 3",
		"# source: a\n# licence: b\n\x01\x02\tgeneric\n":          "line 3",
		"# source: a\n# licence: b\n" + strings.Repeat("x", 5000): "line 2",
	} {
		_, err := lexicon.Read(strings.NewReader(text), "f.tsv")
		if err == nil || !strings.Contains(fault.As(err).Public, want) {
			t.Errorf("%.40q: %v", text, err)
		}
	}
}

func fuzzImport(f *testing.F, format lexicon.Format, name string, seeds ...string) {
	f.Helper()
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		list, err := lexicon.Import{Format: format, Source: "s", Licence: "l"}.Run([]string{path})
		if err != nil {
			return
		}
		var b bytes.Buffer
		if err := lexicon.Write(&b, list); err != nil {
			t.Fatal(err)
		}
		back, err := lexicon.Read(&b, "back.tsv")
		if err != nil || len(back.Terms) != len(list.Terms) {
			t.Fatalf("%d terms written, %d read: %v", len(list.Terms), len(back.Terms), err)
		}
	})
}

func FuzzRxNormImport(f *testing.F) {
	fuzzImport(f, lexicon.FormatRxNorm, "RXNCONSO.RRF", "2|ENG|||||||||2|RXNORM|BN|2|Tylenol||N||\n")
}

func FuzzDPDProducts(f *testing.F)    { fuzzImport(f, lexicon.FormatDPD, "drug.txt", drugTxt) }
func FuzzDPDIngredients(f *testing.F) { fuzzImport(f, lexicon.FormatDPD, "ingred.txt", ingredTxt) }
func FuzzDPDZip(f *testing.F)         { fuzzImport(f, lexicon.FormatDPD, "all.zip", "PK\x03\x04") }

func FuzzICD10CMImport(f *testing.F) {
	fuzzImport(f, lexicon.FormatICD10CM, "order.txt", "A00 Cholera\n", "K509 Crohn's disease, unspecified\n")
}

func FuzzListImport(f *testing.F) {
	fuzzImport(f, lexicon.FormatList, "list.txt", "zanterpel\tbrand\t0.5\tzan|ter\ta,b\n# x: y\n")
}

func FuzzSoundsOfAnything(f *testing.F) {
	f.Add("levothyroxine 112 mcg")
	f.Add("β-blocker's ÅÄÖ 00 9999999999999")
	f.Fuzz(func(t *testing.T, text string) {
		if a := lexicon.Distance(text, text); a != 0 {
			t.Fatalf("%q is %f from itself", text, a)
		}
		lexicon.Default().Near(text, 0.3, 3)
		lexicon.Default().Find(text)
		lexicon.English(text)
	})
}
