package courier

import (
	"context"
	"crypto/tls"
	"net"
	"sync"
	"time"

	"github.com/linxGnu/gosmpp"
	"github.com/linxGnu/gosmpp/data"
	"github.com/linxGnu/gosmpp/pdu"
)

// line is one bound connection to a message centre.
type line struct {
	s    *SMPP
	conn *gosmpp.Connection
	wg   sync.WaitGroup

	write sync.Mutex

	mu      sync.Mutex
	waiting map[int32]chan pdu.PDU

	receipts chan *pdu.DeliverSM
	done     chan struct{}
	once     sync.Once
}

// connect binds as transceiver and starts to listen.
func (s *SMPP) connect(ctx context.Context) (*line, error) {
	dial := func(address string) (net.Conn, error) {
		d := &net.Dialer{Timeout: s.c.Timeout}
		var c net.Conn
		var err error
		if s.c.TLS != nil {
			c, err = (&tls.Dialer{NetDialer: d, Config: s.c.TLS}).DialContext(ctx, "tcp", address)
		} else {
			c, err = d.DialContext(ctx, "tcp", address)
		}
		if err != nil {
			return nil, err
		}
		return c, c.SetDeadline(time.Now().Add(s.c.Timeout)) // for the bind; each use sets its own later
	}
	conn, err := gosmpp.TRXConnector(dial, s.auth).Connect()
	if err != nil {
		return nil, err
	}
	l := &line{s: s, conn: conn, waiting: map[int32]chan pdu.PDU{}, receipts: make(chan *pdu.DeliverSM, 64), done: make(chan struct{})}
	l.wg.Go(l.read)
	l.wg.Go(func() { l.tell(ctx) })
	l.wg.Go(l.enquire)
	return l, nil
}

func (l *line) close() {
	l.once.Do(func() {
		close(l.done)
		_ = l.conn.Close() // nothing more is expected of it
	})
}

// unbind says goodbye, as far as the line still carries it.
func (l *line) unbind() {
	_, _ = l.put(pdu.NewUnbind())
	l.close()
}

// put writes one PDU; n is 0 when certainly nothing of it left.
func (l *line) put(p pdu.PDU) (n int, err error) {
	l.write.Lock()
	defer l.write.Unlock()
	select {
	case <-l.done:
		return 0, net.ErrClosed
	default:
	}
	if err := l.conn.SetWriteTimeout(l.s.c.Timeout); err != nil {
		return 0, err
	}
	n, err = l.conn.WritePDU(p)
	if err != nil {
		l.close() // half a PDU spoils all that would follow
	}
	return n, err
}

// ask writes a request and waits for its answer, which is nil when none came; sent is false when
// the request certainly did not leave.
func (l *line) ask(ctx context.Context, p pdu.PDU, timeout time.Duration) (answer pdu.PDU, sent bool) {
	p.AssignSequenceNumber()
	seq, got := p.GetSequenceNumber(), make(chan pdu.PDU, 1)
	l.mu.Lock()
	l.waiting[seq] = got
	l.mu.Unlock()
	defer func() {
		l.mu.Lock()
		delete(l.waiting, seq)
		l.mu.Unlock()
	}()
	if n, err := l.put(p); err != nil {
		return nil, n > 0
	}
	stop := time.NewTimer(timeout)
	defer stop.Stop()
	select {
	case answer = <-got:
	case <-stop.C:
	case <-ctx.Done():
	case <-l.done:
		select {
		case answer = <-got: // it came with the end of the line
		default:
		}
	}
	return answer, true
}

// submit sends one part.
func (l *line) submit(ctx context.Context, p *pdu.SubmitSM, timeout time.Duration) (name string, o Outcome) {
	answer, sent := l.ask(ctx, p, timeout)
	switch {
	case !sent:
		return "", Outcome{State: Throttled, After: linePause}
	case answer == nil:
		return "", Outcome{State: Uncertain}
	}
	code := answer.GetHeader().CommandStatus
	switch code {
	case data.ESME_ROK:
		if r, ok := answer.(*pdu.SubmitSMResp); ok && len(r.MessageID) <= 65 {
			return r.MessageID, Outcome{State: Accepted}
		}
		return "", Outcome{State: Uncertain} // an answer, but not to this
	case data.ESME_RTHROTTLED, data.ESME_RMSGQFUL:
		return "", Outcome{State: Throttled, Code: int(code), After: throttlePause}
	default:
		return "", Outcome{State: Failed, Code: int(code)}
	}
}

// read takes what the centre sends until the line ends.
func (l *line) read() {
	defer close(l.receipts)
	defer l.close()
	for {
		if l.conn.SetReadTimeout(l.s.c.EnquireLink+2*l.s.c.Timeout) != nil {
			return
		}
		p, err := pdu.Parse(l.conn)
		if err != nil {
			return
		}
		switch p := p.(type) {
		case *pdu.EnquireLink:
			_, err = l.put(p.GetResponse())
		case *pdu.Unbind:
			_, _ = l.put(p.GetResponse())
			return
		case *pdu.DeliverSM:
			select {
			case l.receipts <- p:
			case <-l.done:
				return
			}
		default:
			l.mu.Lock()
			got := l.waiting[p.GetSequenceNumber()]
			delete(l.waiting, p.GetSequenceNumber())
			l.mu.Unlock()
			if got != nil {
				got <- p
			}
		}
		if err != nil {
			return
		}
	}
}

// tell passes receipts on, and answers the centre when they are kept.
func (l *line) tell(ctx context.Context) {
	for p := range l.receipts {
		answer := p.GetResponse().(*pdu.DeliverSMResp)
		if r, ok := receipt(p); ok && l.s.c.OnReceipt != nil {
			if err := l.s.c.OnReceipt(ctx, r); err != nil {
				answer.CommandStatus = data.ESME_RX_T_APPN // "temporary: say it again"
			}
		}
		_, _ = l.put(answer) // on a broken line the centre says it again by itself
	}
}

// enquire tries the line now and then, and ends it when nothing comes back.
func (l *line) enquire() {
	tick := time.NewTicker(l.s.c.EnquireLink)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if answer, _ := l.ask(context.Background(), pdu.NewEnquireLink(), l.s.c.Timeout); answer == nil {
				l.close()
				return
			}
		case <-l.done:
			return
		}
	}
}
