package pages_test

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"vesper/internal/access"
	"vesper/internal/fault"
	"vesper/pipeline"
)

var allStates = []pipeline.State{
	pipeline.Received, pipeline.Queued, pipeline.Transcribed, pipeline.Drafted, pipeline.InReview, pipeline.AwaitingSignature,
	pipeline.Signed, pipeline.Delivered, pipeline.Rejected, pipeline.Failed,
}

func TestEveryPageRendersForItsRolesAndIsRefusedToOthers(t *testing.T) {
	t.Parallel()
	for _, v := range views {
		for _, role := range access.Roles() {
			status, body, _ := get(t, newStage(pipeline.Drafted), role, v.path)
			want := http.StatusForbidden
			if v.admits(role) {
				want = http.StatusOK
			}
			if status != want {
				t.Errorf("%s as %s: status %d, want %d", v.path, role, status, want)
			}
			if !strings.HasSuffix(strings.TrimSpace(body), "</html>") || strings.Contains(body, "<no value>") {
				t.Errorf("%s as %s: the page is cut off or holds an empty value", v.path, role)
			}
		}
	}
}

func TestEveryPageRendersInEveryStateAndWhenThereIsNothing(t *testing.T) {
	t.Parallel()
	for _, v := range views {
		for _, st := range allStates {
			for _, empty := range []bool{false, true} {
				s := newStage(st)
				s.empty, s.reason = empty, "audio_silent"
				if status, _, _ := get(t, s, v.roles[0], v.path); status != http.StatusOK {
					t.Errorf("%s in %s (empty %v): status %d", v.path, st, empty, status)
				}
			}
		}
	}
}

func TestStrangersAreSentToTheLoginAndBack(t *testing.T) {
	t.Parallel()
	for _, v := range views {
		path, _, _ := strings.Cut(v.path, "?")
		status, _, location := get(t, newStage(pipeline.Drafted), "", v.path)
		if status != http.StatusSeeOther || !strings.HasPrefix(location, "/login?next=") || !strings.Contains(location, strings.ReplaceAll(path, "/", "%2F")) {
			t.Errorf("%s: %d to %q", v.path, status, location)
		}
	}
}

func TestTheLoginKeepsRedirectsOnThisSite(t *testing.T) {
	t.Parallel()
	for next, want := range map[string]string{"/queue": "/queue", "//evil.example": "/", "https://evil.example": "/", `/\evil.example`: "/", "": "/"} {
		_, body, _ := get(t, newStage(pipeline.Drafted), "", "/login?next="+next)
		if !strings.Contains(body, `data-next="`+want+`"`) || !strings.Contains(body, `name="next" value="`+want+`"`) {
			t.Errorf("next %q does not lead to %q", next, want)
		}
	}
}

func TestTheLoginSaysWhyWithoutRepeatingTheAddress(t *testing.T) {
	t.Parallel()
	_, body, _ := get(t, newStage(pipeline.Drafted), "", "/login?problem=login_wrong")
	if !strings.Contains(body, ">Login or password is not right.</div>") {
		t.Error("the reason is missing")
	}
	if _, body, _ := get(t, newStage(pipeline.Drafted), "", "/login?problem=call+0900"); strings.Contains(body, "0900") {
		t.Error("the address speaks for the page")
	}
}

func TestHomeIsWhatTheRoleDoesAllDay(t *testing.T) {
	t.Parallel()
	for role, want := range map[access.Role]string{access.Physician: "/dictate", access.Editor: "/queue", access.Supervisor: "/queue", access.Compliance: "/dictations", access.Admin: "/people"} {
		if _, _, location := get(t, newStage(pipeline.Drafted), role, "/"); location != want {
			t.Errorf("%s goes to %q, want %q", role, location, want)
		}
	}
}

func TestPeoplesWordsComeOutAsText(t *testing.T) {
	t.Parallel()
	for _, v := range views {
		s := newStage(pipeline.AwaitingSignature)
		s.name, s.reason = hostile, hostile
		s.events[0].ActorName = hostile
		_, body, _ := get(t, s, v.roles[0], v.path)
		if strings.Contains(body, "<script>alert") || strings.Contains(body, "<img src=x") {
			t.Errorf("%s lets markup through", v.path)
		}
	}
}

var (
	inline  = regexp.MustCompile(`(?i)<[^>]+\s(on[a-z]+|style)=`)
	scripts = regexp.MustCompile(`<script[^>]*>`)
)

func TestNoPageNeedsInlineCode(t *testing.T) {
	t.Parallel()
	for _, v := range views {
		_, body, _ := get(t, newStage(pipeline.AwaitingSignature), v.roles[0], v.path)
		if m := inline.FindString(body); m != "" {
			t.Errorf("%s has inline code: %s", v.path, m)
		}
		for _, tag := range scripts.FindAllString(body, -1) {
			if !strings.Contains(tag, `nonce="n0nce" src="/static/`) && !strings.Contains(tag, `type="application/json"`) {
				t.Errorf("%s has a script without nonce: %s", v.path, tag)
			}
		}
	}
}

func TestEveryFieldHasALabel(t *testing.T) {
	t.Parallel()
	field := regexp.MustCompile(`<(?:input|select|textarea)[^>]*>`)
	id := regexp.MustCompile(` id="([^"]+)"`)
	for _, v := range append([]view{{"/login", []access.Role{""}}}, views...) {
		_, body, _ := get(t, newStage(pipeline.AwaitingSignature), v.roles[0], v.path)
		for _, tag := range field.FindAllString(body, -1) {
			m := id.FindStringSubmatch(tag)
			if strings.Contains(tag, "hidden") || strings.Contains(tag, "aria-label") {
				continue
			}
			if m == nil || !strings.Contains(body, `for="`+m[1]+`"`) && !regexp.MustCompile(`<label[^>]*>(?:[^<]|<span[^>]*>[^<]*</span>)*<(?:input|select)[^>]*id="`+m[1]+`"`).MatchString(body) {
				t.Errorf("%s: no label for %s", v.path, tag)
			}
		}
	}
}

func TestAFailureIsSaidInPlainWords(t *testing.T) {
	t.Parallel()
	for _, v := range views {
		s := newStage(pipeline.Drafted)
		s.fail = errDown
		status, body, _ := get(t, s, v.roles[0], v.path)
		if status != http.StatusServiceUnavailable || !strings.Contains(body, "The database does not answer.") {
			t.Errorf("%s: status %d", v.path, status)
		}
	}
	s := newStage(pipeline.Drafted)
	s.fail = fault.Wrap(errDown, fault.Internal, "internal", "Something went wrong on our side.")
	if _, body, _ := get(t, s, access.Editor, "/queue"); strings.Contains(body, "database_down") {
		t.Error("a private cause is shown")
	}
}

func TestAnIDThatIsNoneIsNotFound(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/dictations/x", "/sign/..", "/history/1", "/edit/%00"} {
		role := access.Physician
		if status, _, _ := get(t, newStage(pipeline.Drafted), role, path); status != http.StatusNotFound && status != http.StatusTemporaryRedirect && status != http.StatusMovedPermanently {
			t.Errorf("%s: status %d", path, status)
		}
	}
}

func TestSigningIsLockedWhileSomethingMustBeSettled(t *testing.T) {
	t.Parallel()
	_, body, _ := get(t, newStage(pipeline.AwaitingSignature), access.Physician, "/sign/"+dictated.String())
	button := regexp.MustCompile(`<button[^>]*id="sign-button"[^>]*>`).FindString(body)
	if !strings.Contains(button, "disabled") {
		t.Errorf("the button is %q", button)
	}
	look, text := strings.Index(body, "Settle this before you sign"), strings.Index(body, `data-testid="sentence"`)
	if look < 0 || text < look {
		t.Error("what must be settled does not come before the text")
	}
	for _, want := range []string{"<ins>Testa Fictional</ins>", "<del>gone</del>", `data-version="2"`, `data-spans="3.00,5.00"`, `class="sentence doubtful"`} {
		if !strings.Contains(body, want) {
			t.Errorf("the page does not show %s", want)
		}
	}
}

func TestHistoryTellsWhatHappenedAndProvesTheDelivery(t *testing.T) {
	t.Parallel()
	_, body, _ := get(t, newStage(pipeline.Delivered), access.Compliance, "/history/"+dictated.String())
	for _, want := range []string{"sent the recording in", "saved versions 2 to 3", "tried to sign", "the same, byte for byte", "DocumentReference/7", "Dictated at 0:03, unchanged", "Written by Kim Doe"} {
		if !strings.Contains(body, want) {
			t.Errorf("the history does not say %q", want)
		}
	}
}

func TestEqualEventsOfTheAuditLogAreToldOnce(t *testing.T) {
	t.Parallel()
	s := newStage(pipeline.Delivered)
	s.events = nil
	for range 5 {
		s.events = append(s.events, happening("dictation.list", "done", nil))
	}
	s.events = append(s.events, happening("dictation.list", "refused", nil))
	_, body, _ := get(t, s, access.Compliance, "/audit")
	if rows := strings.Count(body, "<tr") - 1; rows != 2 || !strings.Contains(body, "5 times since") {
		t.Errorf("%d rows", rows)
	}
}

func TestWhoMayOrderWorkAnewIsOfferedWhatFitsTheState(t *testing.T) {
	t.Parallel()
	for state, want := range map[pipeline.State][]string{
		pipeline.Queued: {"cancel", "transcribe"}, pipeline.Transcribed: {"cancel", "transcribe", "draft"}, pipeline.Drafted: {"transcribe", "draft"},
		pipeline.InReview: {"transcribe", "draft"}, pipeline.AwaitingSignature: {"transcribe", "draft"}, pipeline.Signed: {"deliver", "cancel"},
		pipeline.Failed: {"retry", "transcribe", "draft"}, pipeline.Rejected: {"retry", "transcribe", "draft"}, pipeline.Delivered: nil,
	} {
		s := &stage{state: state, name: "Testa"}
		for _, role := range access.Roles() {
			_, body, _ := get(t, s, role, "/dictations/"+dictated.String())
			var got []string
			for _, m := range regexp.MustCompile(`data-act="([a-z]+)"`).FindAllStringSubmatch(body, -1) {
				got = append(got, m[1])
			}
			offered := want
			if role != access.Supervisor && role != access.Admin {
				offered = nil
			}
			if !slices.Equal(got, offered) {
				t.Errorf("%s on %s is offered %v, want %v", role, state, got, offered)
			}
			if (offered != nil) != strings.Contains(body, "reason-dialog") && state != pipeline.Delivered {
				t.Errorf("%s on %s: the dialog for the reason", role, state)
			}
		}
	}
}

func TestTheQueueIsShownWithItsWait(t *testing.T) {
	t.Parallel()
	s := &stage{state: pipeline.Failed, name: "Testa", quarantined: true}
	_, body, _ := get(t, s, access.Supervisor, "/operations")
	for _, want := range []string{"11 and <b>1 STAT</b>", "2 slots, each 6.0 × real time", "waits about 4 min for the speech engine", "Quarantined", `data-act="reject"`} {
		if !strings.Contains(body, want) {
			t.Errorf("the operations page lacks %q", want)
		}
	}
	if _, body, _ := get(t, s, access.Physician, "/dictate"); !strings.Contains(body, "waits about 4 min for the speech engine") {
		t.Error("the physician is not told how long it takes")
	}
}
