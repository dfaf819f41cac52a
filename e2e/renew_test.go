package e2e

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"senim/internal/agent"
	"senim/internal/cabinet/client"
	"senim/internal/lang"
	"senim/internal/pkitest"
	"senim/internal/robot"
	"senim/pfx"
)

// standIn is a cabinet that has nothing to do but to ask for a code.
func standIn(t *testing.T, serial string) string {
	t.Helper()
	var origin string
	state := client.Renewal{ID: "b", Keys: []client.Key{{Serial: serial, State: "sign"}}, Steps: []client.Step{}, Factor: &client.Factor{To: "t***@example.kz", Sent: true}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var answer any = state
		switch {
		case strings.HasSuffix(r.URL.Path, "/challenge"):
			answer = client.Challenge{Challenge: []byte("senim-challenge 1\norigin: " + origin + "\npurpose: sign-in\n")}
		case r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/renewals"):
			answer = []client.Renewal{}
		case strings.HasSuffix(r.URL.Path, "/code") && r.FormValue("code") == "123456":
			state.Factor, state.Keys[0].State = nil, "done"
			answer = state
		case strings.HasSuffix(r.URL.Path, "/code"):
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusForbidden)
			answer = client.Refusal{Code: "CODE_WRONG", Text: "4 tries left"}
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(answer)
	}))
	t.Cleanup(server.Close)
	origin = server.URL
	return origin
}

// TestPain08WindowOfRenewal renews in the window as a person does, in three languages: which keys are due,
// a wrong password said beside its key, the code of the cabinet asked for and refused, the end told.
func TestPain08WindowOfRenewal(t *testing.T) {
	for _, l := range []lang.Tag{lang.KK, lang.RU, lang.EN} {
		t.Run(string(l), func(t *testing.T) {
			b := browser(t)
			authority := pkitest.New(t, pkitest.Config{Now: time.Now()})
			leaf := authority.Issue(pkitest.Spec{Holder: pkitest.Person(), NotAfter: time.Now().AddDate(0, 0, 9), NotBefore: time.Now().AddDate(-1, 0, 0)})
			der, err := pfx.Encode(rand.Reader, pfx.File{Key: leaf.Key, Certificate: leaf.Certificate}, "Qwerty12", pfx.NCA)
			if err != nil {
				t.Fatal(err)
			}
			folder := t.TempDir()
			if err := os.WriteFile(filepath.Join(folder, "GOST512_a.p12"), der, 0o600); err != nil {
				t.Fatal(err)
			}
			windows := make(chan string, 1)
			at, err := agent.New(agent.Config{Data: t.TempDir(), Folders: []string{folder}, Pool: authority.Pool(), Cabinet: standIn(t, leaf.Certificate.SerialHex()),
				Browser: func(url string) (func(), error) { windows <- url; return nil, nil }})
			if err != nil {
				t.Fatal(err)
			}
			done := make(chan agent.Renewed, 1)
			go func() {
				r, _, err := at.Renew(t.Context(), l)
				if err != nil {
					t.Error(err)
				}
				done <- r
			}()
			w := newTab(t, b, &robot.System{}, string(l))
			w.act("open the window", chromedp.Navigate(<-windows), chromedp.WaitVisible(css("body[data-state=ready][data-kind=renew]")))
			w.shot("asked")
			w.enter("input[data-password]", "wrong")
			w.enter("#new-password", "NewSecret7")
			w.enter("#new-password-2", "NewSecret7")
			w.push("#sign")
			w.act("a wrong password", chromedp.WaitVisible(css(".key .wrong[data-code=wrong_password]")))
			w.shot("wrong")
			w.enter("input[data-password]", "Qwerty12")
			w.enter("#new-password", "NewSecret7")
			w.enter("#new-password-2", "NewSecret7")
			w.push("#sign")
			w.act("the code", chromedp.WaitVisible(css("#code")), chromedp.WaitVisible(css("#error[data-code=code_needed]")))
			w.sees("t***@example.kz")
			w.shot("code")
			w.enter("#code", "000000")
			w.push("#sign")
			w.act("a wrong code", chromedp.WaitVisible(css("#error[data-code=code_wrong]")))
			w.enter("#code", "123456")
			w.push("#sign")
			w.act("the end", chromedp.WaitVisible(css("body[data-state=done]")))
			w.sees(l.Text("agent.renew.done", "n", 1))
			w.shot("done")
			if r := <-done; r != (agent.Renewed{Done: 1}) {
				t.Errorf("%+v", r)
			}
		})
	}
}
