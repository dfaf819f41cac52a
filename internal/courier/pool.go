package courier

import (
	"context"
	"errors"
	"time"

	"github.com/wneessen/go-mail"
)

// call is one connection to the mail server.
type call struct {
	client *mail.Client
	sent   int
	last   time.Time
}

const (
	lettersPerCall = 100              // servers hang up on clients that never do
	idleCall       = 20 * time.Second // less than servers wait (RFC 5321 §4.5.3.2.7 says five minutes)
)

// dial gives a connection: one that stayed open, or a new one when fresh is asked for.
func (s *SMTP) dial(ctx context.Context, fresh bool) (*call, error) {
	for !fresh {
		select {
		case c := <-s.idle:
			if c.sent < lettersPerCall && time.Since(c.last) < idleCall {
				return c, nil
			}
			c.close()
			continue
		default:
		}
		break
	}
	client, err := mail.NewClient(s.host, s.options...)
	if err != nil {
		return nil, errors.New("the mail client refuses the configuration")
	}
	if err := client.DialWithContext(ctx); err != nil {
		return nil, errors.New("the mail server is not reached, or refuses us")
	}
	return &call{client: client}, nil
}

// deliver sends a letter over a connection, and keeps the connection when the letter went well.
func (s *SMTP) deliver(ctx context.Context, m *mail.Msg) error {
	c, err := s.dial(ctx, false)
	if err != nil {
		return err
	}
	err = c.client.Send(m)
	if c.sent > 0 && !m.IsDelivered() && hungUp(err) {
		c.close()
		if c, err = s.dial(ctx, true); err != nil {
			return err
		}
		err = c.client.Send(m)
	}
	c.sent++
	c.last = time.Now()
	if err != nil {
		c.close()
		return err
	}
	select {
	case s.idle <- c:
	default:
		c.close()
	}
	return nil
}

// hungUp reports that the server had ended the connection before the letter: nothing of it went.
func hungUp(err error) bool {
	f, ok := errors.AsType[*mail.SendError](err)
	if !ok {
		return false
	}
	early := f.Reason == mail.ErrSMTPMailFrom || f.Reason == mail.ErrConnCheck
	return early && (f.ErrorCode() == 0 || f.ErrorCode() == 421)
}

func (c *call) close() {
	_ = c.client.Close() // what a goodbye says changes nothing
}

// Close ends the connections that stayed open. The courier still works afterwards.
func (s *SMTP) Close() error {
	for {
		select {
		case c := <-s.idle:
			c.close()
		default:
			return nil
		}
	}
}
