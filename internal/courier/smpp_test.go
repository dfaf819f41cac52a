package courier

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fiorix/go-smpp/smpp/pdu"
	"github.com/fiorix/go-smpp/smpp/pdu/pdufield"
	"github.com/fiorix/go-smpp/smpp/smpptest"
	ours "github.com/linxGnu/gosmpp/pdu"

	"senim/internal/gsm"
)

// centre is a message centre in the test, by another's implementation of SMPP.
type centre struct {
	*smpptest.Server
	mu   sync.Mutex
	sent []pdu.Body
	// enquired and answered count what the client did besides.
	enquired int
	answered chan pdu.Body
	// submit answers the n-th submit_sm; nil: all are taken. mute: no answer to anything.
	submit func(c smpptest.Conn, n int, p pdu.Body)
	mute   bool
}

func newCentre(t *testing.T) *centre {
	t.Helper()
	c := &centre{Server: smpptest.NewUnstartedServer(), answered: make(chan pdu.Body, 10)}
	c.Handler = func(conn smpptest.Conn, p pdu.Body) {
		c.mu.Lock()
		defer c.mu.Unlock()
		switch p.Header().ID {
		case pdu.SubmitSMID:
			c.sent = append(c.sent, p)
			if c.submit != nil {
				c.submit(conn, len(c.sent), p)
				return
			}
			take(conn, p, 0)
		case pdu.EnquireLinkID:
			if c.enquired++; !c.mute {
				_ = conn.Write(pdu.NewEnquireLinkRespSeq(p.Header().Seq))
			}
		case pdu.DeliverSMRespID:
			c.answered <- p
		default:
		}
	}
	t.Cleanup(c.Close)
	return c
}

// take answers a submit_sm.
func take(conn smpptest.Conn, p pdu.Body, status pdu.Status) {
	r := pdu.NewSubmitSMResp()
	r.Header().Seq, r.Header().Status = p.Header().Seq, status
	_ = r.Fields().Set(pdufield.MessageID, fmt.Sprintf("id-%d", p.Header().Seq))
	_ = conn.Write(r)
}

func (c *centre) all() []pdu.Body {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]pdu.Body{}, c.sent...)
}

func (c *centre) count(n *int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return *n
}

// bind starts the centre and a client of it, and waits until it is bound.
func bind(t *testing.T, c *centre, change func(*SMPPConfig)) *SMPP {
	t.Helper()
	c.Start()
	config := SMPPConfig{URL: "smpp://client:secret@" + c.Addr(), From: "SENIM", Timeout: 20 * time.Second, shortest: 10 * time.Millisecond}
	if change != nil {
		change(&config)
	}
	s, err := NewSMPP(config)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	until(t, "bound", func() bool { return s.line() != nil })
	return s
}

func (s *SMPP) line() *line {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.current
}

// until waits for what other goroutines do.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), 30*time.Second)
	defer stop()
	for !ok() {
		if !wait(ctx, time.Millisecond) {
			t.Fatalf("never %s", what)
		}
	}
}

func field(p pdu.Body, name pdufield.Name) string { return p.Fields()[name].String() }

// NT-17: Kazakh text comes to the centre whole, as UCS-2.
func TestNT17KazakhComesWhole(t *testing.T) {
	c := newCentre(t)
	s := bind(t, c, nil)
	parts, o := s.Send(t.Context(), message)
	if o.State != Accepted || len(parts) != 1 || !strings.HasPrefix(parts[0], "id-") {
		t.Fatalf("%v %+v", parts, o)
	}
	p := c.all()[0]
	for name, want := range map[pdufield.Name]string{pdufield.DataCoding: "8", pdufield.ESMClass: "0", pdufield.RegisteredDelivery: "1", pdufield.SourceAddr: "SENIM",
		pdufield.SourceAddrTON: "5", pdufield.SourceAddrNPI: "0", pdufield.DestinationAddr: "77011234567", pdufield.DestAddrTON: "1", pdufield.DestAddrNPI: "1"} {
		if got := field(p, name); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	text := p.Fields()[pdufield.ShortMessage].Bytes()
	if got := decode(gsm.Shaped{Coding: 8, Parts: [][]byte{text}}); got != "ЭЦҚ кілті" {
		t.Errorf("the centre has %q", got)
	}
}

func TestLatinGoesInTheAlphabetOfGSM(t *testing.T) {
	c := newCentre(t)
	s := bind(t, c, func(c *SMPPConfig) { c.From = "1414" })
	m := message
	m.Text = "Senim: code 1234 @ [x]"
	if _, o := s.Send(t.Context(), m); o.State != Accepted {
		t.Fatalf("%+v", o)
	}
	p := c.all()[0]
	if got := p.Fields()[pdufield.ShortMessage].Bytes(); field(p, pdufield.DataCoding) != "0" || field(p, pdufield.SourceAddrTON) != "3" || string(got) != "Senim: code 1234 \x00 \x1b\x3cx\x1b\x3e" {
		t.Errorf("coding %s, %q", field(p, pdufield.DataCoding), got)
	}
}

// NT-16 over the air: two parts, joined by their headers.
func TestNT16TwoPartsAreJoined(t *testing.T) {
	c := newCentre(t)
	s := bind(t, c, nil)
	m := message
	m.Text = strings.Repeat("Кілт ", 26)
	parts, o := s.Send(t.Context(), m)
	all := c.all()
	if o.State != Accepted || len(parts) != 2 || parts[0] == parts[1] || len(all) != 2 {
		t.Fatalf("%v %+v, %d messages", parts, o, len(all))
	}
	var text [][]byte
	var ref byte
	for i, p := range all {
		b := p.Fields()[pdufield.ShortMessage].Bytes()
		if field(p, pdufield.ESMClass) != "64" || len(b) > 140 || !bytes.Equal(b[:3], []byte{5, 0, 3}) || b[4] != 2 || int(b[5]) != i+1 || i > 0 && b[3] != ref {
			t.Fatalf("part %d: class %s, %x", i, field(p, pdufield.ESMClass), b)
		}
		ref = b[3]
		text = append(text, b[6:])
	}
	if got := decode(gsm.Shaped{Coding: 8, Parts: text}); got != m.Text {
		t.Errorf("the phone shows %q", got)
	}
	m.Text = strings.Repeat("ә", 135)
	if _, o := s.Send(t.Context(), m); o.State != Failed {
		t.Errorf("three parts: %+v", o)
	}
}

func TestAnswersOfTheCentre(t *testing.T) {
	for name, c := range map[string]struct {
		status pdu.Status
		want   State
	}{"throttled": {0x58, Throttled}, "queue full": {0x14, Throttled}, "bad number": {0x0B, Failed}, "refused": {0x45, Failed}} {
		centre := newCentre(t)
		centre.submit = func(conn smpptest.Conn, _ int, p pdu.Body) { take(conn, p, c.status) }
		s := bind(t, centre, nil)
		if parts, o := s.Send(t.Context(), message); o.State != c.want || o.Code != int(c.status) || len(parts) != 0 || (c.want == Throttled) != (o.After > 0) {
			t.Errorf("%s: %v %+v", name, parts, o)
		}
	}
}

// NT-10 over SMPP: a centre that takes and says nothing, or hangs up.
func TestNT10NoAnswerIsUncertain(t *testing.T) {
	silent := newCentre(t)
	silent.submit = func(smpptest.Conn, int, pdu.Body) {}
	s := bind(t, silent, func(c *SMPPConfig) { c.Timeout = 500 * time.Millisecond })
	if _, o := s.Send(t.Context(), message); o.State != Uncertain {
		t.Errorf("silent: %+v", o)
	}
	until(t, "received", func() bool { return len(silent.all()) > 0 })
	if n := len(silent.all()); n != 1 {
		t.Errorf("silent: a message went %d times", n)
	}
	gone := newCentre(t)
	gone.submit = func(c smpptest.Conn, n int, p pdu.Body) {
		if n == 1 {
			_ = c.Close()
			return
		}
		take(c, p, 0)
	}
	s = bind(t, gone, nil)
	first := s.line()
	if _, o := s.Send(t.Context(), message); o.State != Uncertain {
		t.Errorf("hangs up: %+v", o)
	}
	until(t, "bound again", func() bool { l := s.line(); return l != nil && l != first })
	if n := len(gone.all()); n != 1 {
		t.Errorf("a message went %d times", n)
	}
	if _, o := s.Send(t.Context(), message); o.State != Accepted {
		t.Errorf("after binding again: %+v", o)
	}
}

// Half of a message that went is not sent again: its other half waits, and then nobody knows.
func TestTheSecondHalfWaits(t *testing.T) {
	m := message
	m.Text = strings.Repeat("ә", 100)
	patient := newCentre(t)
	patient.submit = func(conn smpptest.Conn, n int, p pdu.Body) {
		if n == 2 || n == 3 {
			take(conn, p, 0x58)
			return
		}
		take(conn, p, 0)
	}
	s := bind(t, patient, nil)
	if parts, o := s.Send(t.Context(), m); o.State != Accepted || len(parts) != 2 || len(patient.all()) != 4 {
		t.Errorf("%v %+v after %d", parts, o, len(patient.all()))
	}
	full := newCentre(t)
	full.submit = func(conn smpptest.Conn, n int, p pdu.Body) {
		take(conn, p, map[bool]pdu.Status{true: 0, false: 0x14}[n == 1])
	}
	s = bind(t, full, nil)
	if parts, o := s.Send(t.Context(), m); o.State != Uncertain || len(parts) != 1 {
		t.Errorf("%v %+v", parts, o)
	}
}

// deliver is a deliver_sm, written by hand (SMPP 3.4 §4.6.1): the library's is not what centres send.
type deliver struct {
	pdu.Body
	class uint8
	text  string
	tlv   string
}

func (d deliver) SerializeTo(w io.Writer) error {
	body := "\x00\x01\x0177011234567\x00\x05\x00SENIM\x00" + string([]byte{d.class}) + "\x00\x00\x00\x00\x00\x00\x00\x00" + string([]byte{byte(len(d.text))}) + d.text + d.tlv
	head := binary.BigEndian.AppendUint32(nil, uint32(16+len(body)))
	_, err := w.Write([]byte(string(head) + "\x00\x00\x00\x05\x00\x00\x00\x00\x00\x00\x00\x09" + body))
	return err
}

func TestReceiptsComeBack(t *testing.T) {
	c := newCentre(t)
	var conn smpptest.Conn
	c.submit = func(at smpptest.Conn, _ int, p pdu.Body) { conn = at; take(at, p, 0) }
	got := make(chan Receipt, 10)
	first := true
	s := bind(t, c, func(c *SMPPConfig) {
		c.OnReceipt = func(_ context.Context, r Receipt) error {
			if first {
				first = false
				return errors.New("not written down yet")
			}
			got <- r
			return nil
		}
	})
	parts, _ := s.Send(t.Context(), message)
	say := func(class uint8, text, tlv string) pdu.Body {
		c.mu.Lock()
		err := conn.Write(deliver{class: class, text: text, tlv: tlv})
		c.mu.Unlock()
		if err != nil {
			t.Fatal(err)
		}
		select {
		case a := <-c.answered:
			return a
		case <-time.After(30 * time.Second):
			t.Fatal("a receipt without an answer")
			return nil
		}
	}
	text := "id:" + parts[0] + " sub:001 dlvrd:001 submit date:2603020900 done date:2603020901 stat:%s err:000 text:"
	if a := say(4, fmt.Sprintf(text, "DELIVRD"), ""); a.Header().Status != 0x64 {
		t.Errorf("a receipt that could not be kept is answered %x", uint32(a.Header().Status))
	}
	for word, want := range map[string]State{"DELIVRD": Delivered, "UNDELIV": Failed, "EXPIRED": Failed, "REJECTD": Failed, "ENROUTE": Accepted, "UNKNOWN": Accepted} {
		if a := say(4, fmt.Sprintf(text, word), ""); a.Header().Status != 0 {
			t.Errorf("%s: answered %x", word, uint32(a.Header().Status))
		}
		if r := <-got; r != (Receipt{Part: parts[0], State: want}) {
			t.Errorf("%s: %+v", word, r)
		}
	}
	// Some centres tell by fields of their own: receipted_message_id and message_state.
	if a := say(4, "", "\x00\x1e\x00\x03ab\x00\x04\x27\x00\x01\x05"); a.Header().Status != 0 {
		t.Errorf("by fields: answered %x", uint32(a.Header().Status))
	}
	if r := <-got; r != (Receipt{Part: "ab", State: Failed}) {
		t.Errorf("by fields: %+v", r)
	}
	if a := say(0, fmt.Sprintf(text, "DELIVRD"), ""); a.Header().Status != 0 || len(got) != 0 {
		t.Error("what a phone sent is a receipt")
	}
}

func TestTheLineIsTriedAndMadeAnew(t *testing.T) {
	c := newCentre(t)
	s := bind(t, c, func(c *SMPPConfig) { c.EnquireLink, c.Timeout = 20*time.Millisecond, 2*time.Second })
	first := s.line()
	until(t, "enquired", func() bool { return c.count(&c.enquired) > 2 })
	if s.line() != first {
		t.Error("a line that answers was given up")
	}
	c.mu.Lock()
	c.mute = true
	c.mu.Unlock()
	until(t, "made anew", func() bool { l := s.line(); return l != nil && l != first })
}

func TestWithoutALineNothingIsSent(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	s, err := NewSMPP(SMPPConfig{URL: "smpp://client:secret@" + l.Addr().String(), From: "SENIM"})
	if err != nil {
		t.Fatal(err)
	}
	if _, o := s.Send(t.Context(), message); o.State != Throttled || o.After <= 0 {
		t.Errorf("%+v", o)
	}
}

// The window bounds messages without an answer; the end of Run waits for those that are out.
func TestWindowAndGoodbye(t *testing.T) {
	c := newCentre(t)
	out := make(chan func(), 10)
	c.submit = func(conn smpptest.Conn, _ int, p pdu.Body) { out <- func() { take(conn, p, 0) } }
	c.Start()
	s, err := NewSMPP(SMPPConfig{URL: "smpp://client:secret@" + c.Addr(), From: "SENIM", Window: 2, Timeout: 20 * time.Second, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	until(t, "bound", func() bool { return s.line() != nil })
	ends := make(chan Outcome, 3)
	for range 3 {
		go func() { _, o := s.Send(context.Background(), message); ends <- o }()
	}
	a, b := <-out, <-out
	if len(out) != 0 || len(c.all()) != 2 {
		t.Error("a third message left with two unanswered")
	}
	stop()
	until(t, "closed", func() bool { return s.line() == nil })
	a()
	b()
	var states []State
	for range 3 {
		states = append(states, (<-ends).State)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	count := map[State]int{}
	for _, st := range states {
		count[st]++
	}
	if count[Accepted] != 2 || count[Throttled] != 1 {
		t.Errorf("%v", states)
	}
}

func TestNewSMPPRefuses(t *testing.T) {
	for name, c := range map[string]SMPPConfig{
		"scheme":        {URL: "http://u:p@smsc.example:2775", From: "SENIM"},
		"no user":       {URL: "smpp://smsc.example:2775", From: "SENIM"},
		"no port":       {URL: "smpp://u:p@smsc.example", From: "SENIM"},
		"long password": {URL: "smpp://u:123456789@smsc.example:2775", From: "SENIM"},
		"no sender":     {URL: "smpp://u:p@smsc.example:2775"},
		"long sender":   {URL: "smpp://u:p@smsc.example:2775", From: "SENIMSENIMSE"},
		"Cyrillic":      {URL: "smpp://u:p@smsc.example:2775", From: "СЕНІМ"},
	} {
		if _, err := NewSMPP(c); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func TestPausesGrow(t *testing.T) {
	for failed, want := range map[int]time.Duration{0: time.Second, 1: time.Second, 2: 2 * time.Second, 6: 32 * time.Second, 7: time.Minute, 1000: time.Minute} {
		if lo, hi := pause(failed, time.Second, 0), pause(failed, time.Second, 1); hi != want || lo != want/2 {
			t.Errorf("after %d: %s to %s", failed, lo, hi)
		}
	}
}

// Whatever bytes a centre sends: the parser, which is others', may refuse, never break.
func FuzzPDU(f *testing.F) {
	for _, p := range []ours.PDU{ours.NewDeliverSM(), ours.NewSubmitSMResp(), ours.NewGenericNack(), ours.NewEnquireLink(), ours.NewUnbind(), ours.NewBindTransceiver()} {
		buf := ours.NewBuffer(nil)
		p.Marshal(buf)
		f.Add(buf.Bytes())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := ours.Parse(bytes.NewReader(b))
		if err != nil {
			return
		}
		if p.GetHeader().CommandLength > 64<<10 {
			t.Error("longer than the bound")
		}
		if d, ok := p.(*ours.DeliverSM); ok {
			receipt(d)
		}
	})
}

func FuzzReceipt(f *testing.F) {
	f.Add([]byte("id:1 sub:001 stat:DELIVRD err:000"), byte(4), byte(2))
	f.Fuzz(func(t *testing.T, text []byte, class, state byte) {
		p := ours.NewDeliverSM().(*ours.DeliverSM)
		p.EsmClass = class
		if p.Message.SetMessageDataWithEncoding(text, nil) != nil {
			return
		}
		p.RegisterOptionalParam(ours.Field{Tag: ours.TagMessageStateOption, Data: []byte{state}})
		buf := ours.NewBuffer(nil)
		p.Marshal(buf)
		back, err := ours.Parse(bytes.NewReader(buf.Bytes()))
		if err != nil {
			return
		}
		if r, ok := receipt(back.(*ours.DeliverSM)); ok && (r.Part == "" || len(r.Part) > 65 || r.State != Accepted && r.State != Delivered && r.State != Failed) {
			t.Errorf("%+v", r)
		}
	})
}
