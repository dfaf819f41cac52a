package courier

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"net/textproto"
	"regexp"
	"strings"

	"senim/internal/notice"
)

// Report is what came back about a letter.
type Report = notice.Returned

// ErrReport says that a letter is not a report of delivery: an answer by a machine or a person.
var ErrReport = errors.New("not a report of delivery")

const (
	maxReport = 256 << 10 // a report brings the letter back, ours are of a few kilobytes
	maxParts  = 10
)

// Read reads a letter sent to an envelope sender of ours: recipient is the address it came to. Only
// the token says which letter it is about; what the report names is never believed. It returns
// [ErrToken] when recipient has no token of ours, [ErrReport] when the letter is no report.
func (t *Tokens) Read(recipient string, letter io.Reader) (Report, error) {
	id, err := t.Letter(recipient)
	if err != nil {
		return Report{}, err
	}
	r, err := readReport(letter)
	r.ID = id
	return r, err
}

func readReport(letter io.Reader) (Report, error) {
	raw, err := io.ReadAll(io.LimitReader(letter, maxReport+1))
	if err != nil {
		return Report{}, fmt.Errorf("read report: %w", err)
	}
	if len(raw) > maxReport {
		return Report{}, fmt.Errorf("read report: longer than %d bytes: %w", maxReport, ErrReport)
	}
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return Report{}, fmt.Errorf("read report: header: %w", ErrReport)
	}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/report" || params["boundary"] == "" {
		return Report{}, fmt.Errorf("read report: %w", ErrReport)
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	for range maxParts {
		p, err := parts.NextRawPart()
		if err != nil {
			break // the end, or what cannot be read: either way no status was found
		}
		switch kind, _, _ := mime.ParseMediaType(p.Header.Get("Content-Type")); kind {
		case "message/delivery-status", "message/global-delivery-status":
			return readStatus(p)
		case "message/feedback-report":
			return Report{Fate: notice.Complaint}, nil
		}
	}
	return Report{}, fmt.Errorf("read report: no status in it: %w", ErrReport)
}

// readStatus reads the groups of fields of RFC 3464 §2: one about the letter, then one for each
// recipient. Our letters have one recipient; a list behind his address may bring more, and then the
// first that failed counts.
func readStatus(p io.Reader) (Report, error) {
	r := textproto.NewReader(bufio.NewReader(p))
	var best Report
	for range maxParts {
		fields, err := r.ReadMIMEHeader()
		if action := fields.Get("Action"); action != "" {
			if now, ok := judge(action, fields.Get("Status"), fields.Get("Diagnostic-Code")); ok {
				if now.Fate == notice.Hard || now.Fate == notice.Soft {
					return now, nil
				}
				if best.Fate == "" {
					best = now
				}
			}
		}
		if err != nil {
			break
		}
	}
	if best.Fate == "" {
		return Report{}, fmt.Errorf("read report: no action and status in it: %w", ErrReport)
	}
	return best, nil
}

var (
	status = regexp.MustCompile(`^([245])\.(\d{1,3})\.(\d{1,3})`)
	inside = regexp.MustCompile(`\b[245]\.\d{1,3}\.\d{1,3}\b`)
)

// judge tells the fate from the fields of one recipient.
func judge(action, code, diagnostic string) (Report, bool) {
	m := status.FindString(strings.TrimSpace(code))
	if m == "" {
		return Report{}, false
	}
	switch strings.ToLower(strings.TrimSpace(action)) {
	case "failed":
		if strings.HasSuffix(m, ".0.0") { // "other": the server it came from may have said more
			if more := inside.FindString(diagnostic); more != "" && more[0] == m[0] {
				m = more
			}
		}
		return Report{Fate: notice.FateOf(m), Status: m}, true
	case "delayed":
		return Report{Fate: notice.Delayed, Status: m}, true
	case "delivered", "relayed", "expanded":
		return Report{Fate: notice.Arrived, Status: m}, true
	}
	return Report{}, false
}
