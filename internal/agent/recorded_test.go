package agent

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// exchange is one entry of the recording inside the package ncalayer-js-client.
type exchange struct{ InitMessage, Request, Response string }

// What the recording holds (spec/agent.md 9.3): it was made on another program, with a token.
var (
	recordedSame     = []int{1, 2, 31, 32, 3, 4, 7, 16, 21, 26, 30, 33, 12, 22} // answered at once, byte for byte
	recordedCanceled = []int{6, 34, 36, 37, 42, 43, 44, 45, 46, 47}
	recordedHashes   = []int{13, 14, 15, 39} // "hashes" of 68 and of 3 bytes: we refuse
	recordedSigned   = []int{5, 8, 9, 10, 11, 17, 18, 19, 20, 23, 24, 25, 27, 28, 29, 35, 38, 40, 41, 48, 49}
	recordedOne      = []int{35, 38, 40, 41} // one CMS: a text there, a list of one in NCALayer 1.4
)

// TestRecorded replays every recorded exchange, with PKCS12 in the place of the token.
func TestRecorded(t *testing.T) {
	folder := packages(t, "npm")
	b := today(t)
	b.cast()
	text, err := os.ReadFile(filepath.Join(folder, "node_modules", "ncalayer-js-client", "test", "test-data.json"))
	if err != nil {
		t.Fatal(err)
	}
	var all []exchange
	if err := json.Unmarshal(text, &all); err != nil || len(all) != 50 {
		t.Fatalf("%d exchanges, %v", len(all), err)
	}
	s := b.dial(page)
	for i, e := range all {
		request := strings.ReplaceAll(e.Request, "AKKaztokenStore", "PKCS12")
		s.send(request)
		switch {
		case i == 0: // a newer NCALayer, and no KAZTOKEN
			if got := s.read(); e.InitMessage != `{"result":{"version":"1.2"}}` || got != `{"success":false,"errorCode":"MODULE_NOT_FOUND"}` {
				t.Errorf("%d: %s", i, got)
			}
		case slices.Contains(recordedSame, i):
			got, want := s.read(), e.Response
			if i == 2 { // no token is in here
				want = `{"responseObject":[],"code":"200"}`
			}
			if got != want {
				t.Errorf("%d: %s\n got %s\nwant %s", i, request, got, want)
			}
			b.noWindow()
		case slices.Contains(recordedCanceled, i):
			b.window().cancel()
			if got := s.read(); got != e.Response {
				t.Errorf("%d: %s\n got %s\nwant %s", i, request, got, e.Response)
			}
		case slices.Contains(recordedHashes, i):
			if got := s.read(); !strings.HasPrefix(got, `{"code":"500","message":"a digest has`) && !strings.HasPrefix(got, `{"code":"INVALID_SIGNING_PARAMS","details":"data: a digest has`) {
				t.Errorf("%d: %s", i, got)
			}
			b.noWindow()
		case slices.Contains(recordedSigned, i):
			key := "RSA.p12"
			if strings.Contains(request, "AUTHENTICATION") {
				key = "AuthPerson.p12"
			}
			h := b.window()
			h.decide(Decision{Key: h.unlock(key)})
			got, want := shape(s.read()), shape(e.Response)
			switch {
			case slices.Contains(recordedOne, i):
				want = `{"body":{"result":["CMS"]},"status":true}`
			case i == 48:
				want = strings.ReplaceAll(want, `\n`, "") // there is no other white space in it
			}
			if got != want {
				t.Errorf("%d: %s\n got %s\nwant %s", i, request, got, want)
			}
		default:
			t.Errorf("%d: nobody says what this is", i)
		}
	}
}

// shape is a reply without what differs from key to key, and with LF for CRLF. What a signature of XML
// covers stays, to the byte.
func shape(reply string) string {
	for _, c := range []struct{ what, by string }{
		{`-----BEGIN CMS-----[^"]*-----END CMS-----\\n`, "CMS"},
		{`\\r`, ""},
		{`<ds:SignatureValue>.*?<\\/ds:Signature>`, "…"},
		{`"responseObject":"(Actual[^"]*|MI[^"]*)"`, `"responseObject":"CMS"`},
		{`"responseObject":\{"certNotBefore":"\d+".*\},`, `"responseObject":{"certNotBefore":"1"},`},
	} {
		reply = regexp.MustCompile(c.what).ReplaceAllString(reply, c.by)
	}
	return reply
}
