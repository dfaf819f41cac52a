package main

import (
	"errors"
	"flag"
	"fmt"
	"net/url"
	"strings"
	"time"

	"senim/internal/ident"
	"senim/internal/lang"
	"senim/internal/notice"
)

// mailConfig is how messages leave the house, and what comes back.
type mailConfig struct {
	// from is the address letters come from; dkimKey, dkimSelector and dkimDomain sign them.
	from, dkimKey, dkimSelector, dkimDomain string
	// letterSink and textSink are folders instead of a server, for development.
	letterSink, textSink string
	// reports is where the house's mail server hands in what comes to bounce+*; empty: nothing is read.
	reports listen
	// smpp or gateway is who brings short messages; both empty: the demo's mail box, or nobody.
	smpp, gateway, gatewayUser, smsPassword, smsFrom, callback string
	gatewayGet                                                 bool
	hours                                                      notice.Hours
	unknown                                                    lang.Tag
	// capEmail, capSMS and capAddress bound a day.
	capEmail, capSMS, capAddress int
	// keep is how long what became of messages is known.
	keep time.Duration
}

// flags adds the flags of messages.
func (m *mailConfig) flags(f *flag.FlagSet) {
	m.hours, m.unknown = notice.Daytime, lang.KK
	f.StringVar(&m.from, "smtp.from", "senim@example.kz", "address that letters come from; reports of failed delivery go to bounce+… at its domain")
	f.StringVar(&m.dkimKey, "smtp.dkim-key", "", "private key that signs letters (DKIM), PEM, mode 0600 (default: not signed here)")
	f.StringVar(&m.dkimSelector, "smtp.dkim-selector", "", "selector of that key in the DNS")
	f.StringVar(&m.dkimDomain, "smtp.dkim-domain", "", "domain that signs (default: that of -smtp.from)")
	f.StringVar(&m.letterSink, "smtp.sink", "", "folder that letters are written to instead of sending them, for development")
	f.StringVar(&m.reports.address, "bounce.listen", "", "address on this machine at which the mail server hands in, by SMTP, what comes to bounce+… (default: none)")
	f.StringVar(&m.smpp, "smpp.url", "", "message centre for SMS, smpp://user@host:port or smpps:// (default: none)")
	f.StringVar(&m.gateway, "smshttp.url", "", "HTTP gateway for SMS of Kannel's kind, its sendsms address (default: none)")
	f.StringVar(&m.gatewayUser, "smshttp.user", "", "user there")
	f.BoolVar(&m.gatewayGet, "smshttp.get", false, "ask that gateway with GET, for those that do not know Kannel's POST")
	f.StringVar(&m.callback, "smshttp.callback", "", "address of "+receiptPath+" as the gateway reaches it (default: under the cabinet's origin)")
	f.StringVar(&m.smsPassword, "sms.password-file", "", "file with the password for SMS, mode 0600")
	f.StringVar(&m.smsFrom, "sms.from", "SENIM", "sender's name of SMS, at most 11 characters, or a number")
	f.StringVar(&m.textSink, "sms.sink", "", "folder that SMS are written to instead of sending them, for development")
	f.Func("sms.hours", "hours in Astana when phones may ring, but for codes (default: 9-20)", func(v string) error {
		var h notice.Hours
		if n, err := fmt.Sscanf(v, "%d-%d", &h.From, &h.To); n != 2 || err != nil || h.From < 0 || h.To > 24 || h.From >= h.To || fmt.Sprintf("%d-%d", h.From, h.To) != v {
			return errors.New("it is two hours of a day, as 9-20")
		}
		m.hours = h
		return nil
	})
	f.Func("sms.lang", "language of SMS to people whose own is not known: kk, ru or en (default: kk)", func(v string) (err error) {
		tag, ok := lang.Parse(v)
		if m.unknown = tag; !ok {
			err = errors.New("it is kk, ru or en")
		}
		return err
	})
	f.IntVar(&m.capEmail, "notify.cap.email", 200_000, "letters a day; when they are used up reminders wait for the next day (0: no bound)")
	f.IntVar(&m.capSMS, "notify.cap.sms", 50_000, "SMS a day, likewise")
	m.keep = 180 * 24 * time.Hour
	f.Func("notify.keep", "how long it is known what became of a message (default: 4320h)", func(v string) error {
		const least, most = 14 * 24 * time.Hour, 10 * 366 * 24 * time.Hour // a letter may come back for 14 days
		d, err := time.ParseDuration(v)
		if err != nil || d < least || d > most {
			return fmt.Errorf("it is a time from %v to %v", least, most)
		}
		m.keep = d
		return nil
	})
	f.IntVar(&m.capAddress, "notify.cap.address", -1, "reminders and business messages a day to one address or phone (0: no bound; default: 5, and 0 with -cast)")
}

// complete checks what was given together.
func (m *mailConfig) complete(smtp string, cast bool) error {
	if m.capAddress < 0 {
		m.capAddress = 5
		if cast {
			m.capAddress = 0 // a story of the demo is a year of letters in an hour
		}
	}
	if _, err := ident.ParseEmail(m.from); err != nil {
		return fmt.Errorf("-smtp.from: %w", err)
	}
	ways := 0
	for _, way := range []string{m.smpp, m.gateway, m.textSink} {
		if way != "" {
			ways++
		}
	}
	switch {
	case smtp != "" && m.letterSink != "":
		return errors.New("-smtp.url and -smtp.sink: letters go one way")
	case ways > 1:
		return errors.New("-smpp.url, -smshttp.url and -sms.sink: short messages go one way")
	case (m.dkimKey == "") != (m.dkimSelector == ""):
		return errors.New("-smtp.dkim-key and -smtp.dkim-selector go together")
	case (m.gateway == "") != (m.gatewayUser == ""):
		return errors.New("-smshttp.url and -smshttp.user go together")
	case (m.gateway != "" || m.smpp != "") != (m.smsPassword != ""):
		return errors.New("-smpp.url or -smshttp.url and -sms.password-file go together")
	case m.capEmail < 0 || m.capSMS < 0:
		return errors.New("-notify.cap.email and -notify.cap.sms are not negative")
	}
	if u, err := url.Parse(m.smpp); err != nil || u.User != nil && strings.Contains(u.User.String(), ":") {
		return errors.New("-smpp.url: the password stands in -sms.password-file, not in the address")
	}
	return nil
}
