package courier

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/linxGnu/gosmpp"
	"github.com/linxGnu/gosmpp/data"
	"github.com/linxGnu/gosmpp/pdu"

	"senim/internal/gsm"
)

// SMPPConfig says through which message centre and as whom.
type SMPPConfig struct {
	// URL is smpp://user:password@host:port, or smpps:// for TLS. Without TLS the password goes in
	// the open, as SMPP has it: the way to the operator is then a private one.
	URL string
	// From is the sender's name, at most 11 ASCII characters, a short number, or a +number.
	From string
	// Window bounds the messages without an answer; 10 when zero.
	Window int
	// EnquireLink is how often the line is tried; 30 s when zero.
	EnquireLink time.Duration
	// Timeout bounds connecting and the wait for each answer; 30 s when zero.
	Timeout time.Duration
	// OnReceipt gets what the centre says later. When it fails the centre is asked to say it again,
	// as when a receipt came before its message was written down. Nil: receipts are dropped.
	OnReceipt func(context.Context, Receipt) error
	// TLS is for private authorities; nil means the system's.
	TLS *tls.Config
	// Log tells of the line, never of messages; nil means nothing.
	Log *slog.Logger
	// shortest is the first pause before connecting again; 1 s when zero.
	shortest time.Duration
}

// SMPP sends short messages over SMPP 3.4, on one line that [SMPP.Run] keeps. It is safe for
// concurrent use.
type SMPP struct {
	c      SMPPConfig
	auth   gosmpp.Auth
	source pdu.Address
	slots  chan struct{}

	mu      sync.Mutex
	current *line
}

const (
	throttlePause = 30 * time.Second // before a message the centre had no room for
	linePause     = time.Minute      // before a message there was no line for
	longestPause  = time.Minute      // between tries to connect
)

// NewSMPP checks the configuration. It does not connect: [SMPP.Run] does.
func NewSMPP(c SMPPConfig) (*SMPP, error) {
	u, err := url.Parse(c.URL)
	if err != nil || u.Scheme != "smpp" && u.Scheme != "smpps" || u.Hostname() == "" || u.Port() == "" || u.User == nil {
		return nil, errors.New("new SMPP: the URL is not smpp://user:password@host:port")
	}
	password, _ := u.User.Password()
	if len(u.User.Username()) > 15 || len(password) > 8 {
		return nil, errors.New("new SMPP: the user has more than 15 bytes, or the password more than 8") // SMPP 3.4 §4.1.1
	}
	if u.Scheme == "smpps" && c.TLS == nil {
		c.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	if u.Scheme == "smpp" {
		c.TLS = nil
	}
	s := &SMPP{auth: gosmpp.Auth{SMSC: u.Host, SystemID: u.User.Username(), Password: password}}
	if s.source, err = source(c.From); err != nil {
		return nil, fmt.Errorf("new SMPP: %w", err)
	}
	if c.Window <= 0 {
		c.Window = 10
	}
	if c.EnquireLink <= 0 {
		c.EnquireLink = 30 * time.Second
	}
	if c.Timeout <= 0 {
		c.Timeout = 30 * time.Second
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.shortest <= 0 {
		c.shortest = time.Second
	}
	s.c, s.slots = c, make(chan struct{}, c.Window)
	return s, nil
}

// source tells kinds of senders apart (SMPP 3.4 §5.2.5): names, short numbers, numbers.
func source(from string) (pdu.Address, error) {
	digits := strings.Trim(from, "0123456789") == ""
	printable := !strings.ContainsFunc(from, func(r rune) bool { return r < ' ' || r > '~' })
	switch {
	case from == "" || !printable:
	case from[0] == '+' && strings.Trim(from[1:], "0123456789") == "" && len(from) <= 16:
		return pdu.NewAddressWithTonNpiAddr(1, 1, from[1:])
	case digits && len(from) <= 8:
		return pdu.NewAddressWithTonNpiAddr(3, 0, from)
	case !digits && len(from) <= 11:
		return pdu.NewAddressWithTonNpiAddr(5, 0, from)
	}
	return pdu.Address{}, errors.New("the sender is not a name of 11 characters, a short number or a +number")
}

// Send hands over a message and waits for the centre's answer. Without a line it is Throttled.
func (s *SMPP) Send(ctx context.Context, m SMS) ([]string, Outcome) {
	shaped, err := gsm.Shape(m.Text, gsm.MaxParts)
	if err != nil || !checked(m) {
		return nil, Outcome{State: Failed}
	}
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	case <-ctx.Done():
		return nil, Outcome{State: Throttled, After: linePause}
	}
	s.mu.Lock()
	l := s.current
	s.mu.Unlock()
	if l == nil {
		return nil, Outcome{State: Throttled, After: linePause}
	}
	var names []string
	for i := range shaped.Parts {
		p, err := s.part(m, shaped, i)
		if err != nil {
			return names, Outcome{State: Failed}
		}
		name, o := l.submit(ctx, p, s.c.Timeout)
		for try := 0; i > 0 && o.State == Throttled && try < 5 && wait(ctx, s.c.shortest); try++ {
			name, o = l.submit(ctx, p, s.c.Timeout) // half of the message went: the rest is worth a wait
		}
		if i > 0 && o.State == Throttled {
			o = Outcome{State: Uncertain, Code: o.Code} // trying again would send the first half twice
		}
		if o.State != Accepted {
			return names, o
		}
		names = append(names, name)
	}
	return names, Outcome{State: Accepted}
}

// part makes the submit_sm of one part, with the header that joins parts (3GPP TS 23.040 §9.2.3.24.1).
func (s *SMPP) part(m SMS, shaped gsm.Shaped, i int) (*pdu.SubmitSM, error) {
	p := pdu.NewSubmitSM().(*pdu.SubmitSM)
	p.SourceAddr = s.source
	to, err := pdu.NewAddressWithTonNpiAddr(1, 1, strings.TrimPrefix(string(m.To), "+"))
	if err != nil {
		return nil, errors.New("the phone is longer than SMPP allows")
	}
	p.DestAddr = to
	p.RegisteredDelivery = 1
	coding := data.GSM7BIT
	if shaped.Coding == data.UCS2Coding {
		coding = data.UCS2
	}
	if err := p.Message.SetMessageDataWithEncoding(shaped.Parts[i], coding); err != nil {
		return nil, errors.New("a part is longer than SMPP allows")
	}
	if n := len(shaped.Parts); n > 1 {
		p.EsmClass |= data.SM_UDH_GSM
		ref := sha256.Sum256([]byte(m.Ref))
		p.Message.SetUDH(pdu.UDH{pdu.NewIEConcatMessage(byte(n), byte(i+1), ref[0])})
	}
	return p, nil
}

// Run connects, and connects again whenever the line breaks, until ctx ends; messages without an
// answer then get their time first. It returns nil.
func (s *SMPP) Run(ctx context.Context) error {
	for failed := 0; ; {
		l, err := s.connect(ctx)
		if err != nil {
			failed++
			s.c.Log.WarnContext(ctx, "message centre not reached", "code", bindCode(err), "attempts", failed)
		} else {
			failed = 0
			s.use(l)
			s.c.Log.InfoContext(ctx, "message centre bound")
			select {
			case <-l.done:
				s.use(nil)
				s.c.Log.WarnContext(ctx, "message centre lost")
			case <-ctx.Done():
				s.use(nil)
				s.drain()
				l.unbind()
			}
			l.wg.Wait()
		}
		//nolint:gosec // jitter against many clients that come back at once, no secret
		if !wait(ctx, pause(failed, s.c.shortest, rand.Float64())) {
			return nil
		}
	}
}

func (s *SMPP) use(l *line) {
	s.mu.Lock()
	s.current = l
	s.mu.Unlock()
}

// drain waits until no message is without an answer, for as long as one answer may take.
func (s *SMPP) drain() {
	stop := time.NewTimer(s.c.Timeout)
	defer stop.Stop()
	for n := range cap(s.slots) {
		select {
		case s.slots <- struct{}{}:
		case <-stop.C:
			for range n {
				<-s.slots
			}
			return
		}
	}
	for range cap(s.slots) {
		<-s.slots
	}
}

// pause is how long to wait before connecting after a number of failures in a row: doubled each
// time up to a minute, then between a half and the whole of it.
func pause(failed int, shortest time.Duration, jitter float64) time.Duration {
	d := shortest << min(max(failed-1, 0), 16)
	d = min(d, longestPause)
	return d/2 + time.Duration(jitter*float64(d/2))
}

// wait reports whether the time passed before ctx ended.
func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

func bindCode(err error) int {
	if refused, ok := errors.AsType[gosmpp.BindError](err); ok {
		return int(refused.CommandStatus)
	}
	return 0
}
