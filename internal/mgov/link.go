package mgov

import (
	"fmt"
	"net/url"
	"strings"
)

// Path is what addresses of API 1 contain: phones look for it.
const Path = "mgovSign"

const (
	scheme   = "mobileSign:"
	mobile   = "https://m.egov.kz/mobileSign/"
	business = "https://m.egov.kz/businessSign/"
)

// Text is what the QR code says.
func Text(api1 string) string { return scheme + api1 }

// MobileLink opens eGov Mobile on the phone that shows the page.
func MobileLink(api1 string) string { return mobile + "?link=" + url.QueryEscape(api1) }

// BusinessLink opens the companies' app likewise.
func BusinessLink(api1 string) string { return business + "?link=" + url.QueryEscape(api1) }

// Address finds the address of API 1 in the text of a QR code, a link of either app, or the address itself.
func Address(text string) (string, error) {
	text = strings.TrimSpace(text)
	if len(text) > len(scheme) && strings.EqualFold(text[:len(scheme)], scheme) {
		text = text[len(scheme):]
	} else if u, err := url.Parse(text); err == nil && u.Host == "m.egov.kz" {
		text = u.Query().Get("link")
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return "", fmt.Errorf("%w: no address in it", ErrMessage)
	}
	return text, nil
}
