package mailbox

import (
	"encoding/base64"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"strings"

	"senim/internal/notice"
)

// read parses a letter: the first plain text and the first HTML of it, whatever their nesting.
func read(r io.Reader) (Letter, error) {
	m, err := mail.ReadMessage(r)
	if err != nil {
		return Letter{}, fmt.Errorf("read letter: %w", err)
	}
	var l Letter
	var words mime.WordDecoder
	if l.Subject, err = words.DecodeHeader(m.Header.Get("Subject")); err != nil {
		l.Subject = m.Header.Get("Subject")
	}
	l.MessageID = strings.Trim(m.Header.Get("Message-Id"), "<> ")
	if err := l.body(m.Header.Get("Content-Type"), m.Header.Get("Content-Transfer-Encoding"), m.Body, 0); err != nil {
		return Letter{}, err
	}
	l.Links = links(l.Text)
	return l, nil
}

// body reads a part, and the parts inside it, to a depth of 5.
func (l *Letter) body(contentType, encoding string, r io.Reader, depth int) error {
	if contentType == "" {
		contentType = "text/plain"
	}
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return fmt.Errorf("read letter: %w", err)
	}
	if strings.HasPrefix(kind, "multipart/") && depth < 5 {
		parts := multipart.NewReader(r, params["boundary"])
		for {
			p, err := parts.NextRawPart()
			if err == io.EOF {
				return nil
			}
			if err != nil {
				return fmt.Errorf("read letter: %w", err)
			}
			if err := l.body(p.Header.Get("Content-Type"), p.Header.Get("Content-Transfer-Encoding"), p, depth+1); err != nil {
				return err
			}
		}
	}
	switch strings.ToLower(encoding) {
	case "quoted-printable":
		r = quotedprintable.NewReader(r)
	case "base64":
		r = base64.NewDecoder(base64.StdEncoding, r)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		return fmt.Errorf("read letter: %w", err)
	}
	text := strings.ReplaceAll(string(b), "\r\n", "\n")
	switch {
	case kind == "text/plain" && l.Text == "":
		l.Text = text
	case kind == "text/html" && l.HTML == "":
		l.HTML = text
	}
	return nil
}

// links lists the links of a text in order.
func links(text string) []string {
	all := []string{}
	for _, r := range notice.Runs(text) {
		if r.Link != "" {
			all = append(all, r.Text)
		}
	}
	return all
}

func (l Letter) goesTo(address string) bool {
	for _, to := range l.To {
		if strings.EqualFold(to, address) {
			return true
		}
	}
	return false
}
