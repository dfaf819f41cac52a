package agent

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"senim/cms"
	"senim/internal/ask"
	"senim/internal/pkitest"
	"senim/tsp"
)

// stamper is a time-stamping authority that can be out of order.
type stamper struct {
	*httptest.Server
	b      *bench
	signer *pkitest.Leaf
	down   atomic.Bool
	late   atomic.Int64 // how far its clock is off
	serial atomic.Int64
}

// stamping brings an agent that knows a time-stamping authority.
func bringStamping(t *testing.T) (*bench, *stamper) {
	t.Helper()
	s := &stamper{}
	s.Server = httptest.NewServer(http.HandlerFunc(s.answer))
	t.Cleanup(s.Close)
	stamps := map[string]string{}
	s.b = bring(t, func(c *Config) { c.Stamps = stamps })
	stamps[hex.EncodeToString(s.b.authority.CA.SubjectKeyID)] = s.URL
	s.signer = s.b.authority.TSA()
	return s.b, s
}

func (s *stamper) answer(w http.ResponseWriter, r *http.Request) {
	if s.down.Load() {
		http.Error(w, "out of order", http.StatusServiceUnavailable)
		return
	}
	der, err := io.ReadAll(io.LimitReader(r.Body, 64<<10))
	if err != nil {
		return
	}
	q, err := tsp.ParseRequest(der)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	answer, err := tsp.CreateResponse(rand.Reader, s.signer.Key, s.signer.Certificate, q, tsp.Stamp{
		Policy: q.Policy, Serial: big.NewInt(s.serial.Add(1)), Time: s.b.clock().Add(time.Duration(s.late.Load())),
	})
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", ask.TSP.Answer)
	_, _ = w.Write(answer)
}

// stamped checks that every signature carries a time-stamp over itself.
func stamped(t *testing.T, sd *cms.SignedData) {
	t.Helper()
	for _, s := range sd.Signers() {
		if len(s.Timestamps) != 1 {
			t.Fatalf("%d time-stamps", len(s.Timestamps))
		}
		token, err := tsp.ParseToken(s.Timestamps[0])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := token.Verify(); err != nil {
			t.Error(err)
		}
		if err := token.Covers(s.SignatureValue); err != nil {
			t.Error(err)
		}
	}
}

func TestStamp(t *testing.T) {
	b, _ := bringStamping(t)
	b.key("GOST512_a.p12", b.authority.Individual())
	s := b.dial(page)
	text := []byte("договор")
	data := quote(base64.StdEncoding.EncodeToString(text))
	stamped(t, good(t, unbase(t, object[string](t, b.sign(s, commonCall("createCMSSignatureFromBase64", `"PKCS12","SIGNATURE",`+data+`,true`), ""))), nil))
	for _, item := range result[[]string](t, b.sign(s, basicsCall("cms", `[`+data+`,`+data+`]`, `{"decode":"true","encapsulate":"false","tsaProfile":{}}`, anyKey), "")) {
		der, err := cms.Decode([]byte(item))
		if err != nil {
			t.Fatal(err)
		}
		stamped(t, good(t, der, text))
	}
	// A plain one gets its time-stamp later, without a key; one that has it already is left alone.
	plain := object[string](t, b.sign(s, commonCall("createCAdESFromBase64", `"PKCS12","SIGNATURE",`+data+`,false`), ""))
	if sd := good(t, unbase(t, plain), text); len(sd.Signers()[0].Timestamps) != 0 {
		t.Error("createCAdES puts a time-stamp")
	}
	apply := func(b64 string) string {
		s.send(commonCall("applyCAdEST", `"PKCS12","SIGNATURE",`+quote(b64)))
		h := b.window()
		if h.view.Kind != "stamp" || len(h.view.Keys) != 0 || len(h.view.Documents) != 1 || len(h.view.Documents[0].Signers) != 1 {
			t.Errorf("%+v", h.view)
		}
		h.decide(Decision{})
		return object[string](t, s.read())
	}
	once := apply(plain)
	stamped(t, good(t, unbase(t, once), text))
	if again := apply(once); again != once {
		t.Error("a second time-stamp was added")
	}
	s.send(commonCall("applyCAdEST", `"PKCS12","SIGNATURE",`+quote(plain)))
	b.window().cancel()
	if got := s.read(); got != canceledReply {
		t.Errorf("%s", got)
	}
	if got := s.ask(commonCall("applyCAdEST", `"PKCS12","SIGNATURE","MTEK"`)); !strings.HasPrefix(got, `{"code":"500","message":"`) {
		t.Errorf("%s", got)
	}
}

// TestPain14ServiceDown: a time-stamping authority that does not answer is named, the window stays, and
// nothing is lost; who gives up gets a failure, never a CMS without the time-stamp.
func TestPain14ServiceDown(t *testing.T) {
	b, service := bringStamping(t)
	b.key("GOST512_a.p12", b.authority.Individual())
	s := b.dial(page)
	common := commonCall("createCMSSignatureFromBase64", `"PKCS12","SIGNATURE","MTEK",true`)
	basics := basicsCall("cms", `"MTEK"`, `{"tsaProfile":{}}`, anyKey)
	for name, broken := range map[string]func(){
		"down":        func() { service.down.Store(true) },
		"wrong clock": func() { service.late.Store(int64(time.Hour)) },
	} {
		t.Run(name, func(t *testing.T) {
			repair := func() { service.down.Store(false); service.late.Store(0) }
			broken()
			s.send(common)
			h := b.window()
			id := h.unlock("")
			p := h.problem("/decide", Decision{Key: id})
			if p.Code != "no_stamp" || !strings.Contains(p.Text, strings.TrimPrefix(service.URL, "http://")) {
				t.Errorf("%+v", p)
			}
			repair()
			h.decide(Decision{Key: id}) // the same window, the same key
			stamped(t, good(t, unbase(t, object[string](t, s.read())), nil))

			broken()
			for request, want := range map[string]string{common: `{"code":"500","message":"time-stamp service: `, basics: `{"code":"SIGNING_FAILURE","details":"time-stamp service: `} {
				s.send(request)
				h = b.window()
				if p := h.problem("/decide", Decision{Key: h.unlock("")}); p.Code != "no_stamp" {
					t.Errorf("%+v", p)
				}
				h.cancel()
				if got := s.read(); !strings.HasPrefix(got, want) {
					t.Errorf("%s", got)
				}
			}
			repair()
		})
	}
}

// TestStampOfStranger: a time-stamp of an authority nobody here knows is no time-stamp.
func TestStampOfStranger(t *testing.T) {
	b, service := bringStamping(t)
	service.signer = pkitest.New(t, pkitest.Config{Name: "ANOTHER"}).TSA()
	b.key("GOST512_a.p12", b.authority.Individual())
	s := b.dial(page)
	s.send(commonCall("createCMSSignatureFromBase64", `"PKCS12","SIGNATURE","MTEK",true`))
	h := b.window()
	if p := h.problem("/decide", Decision{Key: h.unlock("")}); p.Code != "no_stamp" {
		t.Errorf("%+v", p)
	}
	h.cancel()
	if got := s.read(); !strings.HasSuffix(got, `its certificate is of an unknown authority"}`) {
		t.Errorf("%s", got)
	}
}
