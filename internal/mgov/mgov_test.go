package mgov

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
)

func TestAddresses(t *testing.T) {
	const api1 = "https://portal.example.kz/mgovSign/1/a_b-c"
	for _, text := range []string{api1, Text(api1), MobileLink(api1), BusinessLink(api1), " " + strings.ToUpper(scheme) + api1 + "\n"} {
		if got, err := Address(text); got != api1 || err != nil {
			t.Errorf("%s leads to %q, %v", text, got, err)
		}
	}
	if MobileLink(api1) != "https://m.egov.kz/mobileSign/?link=https%3A%2F%2Fportal.example.kz%2FmgovSign%2F1%2Fa_b-c" {
		t.Errorf("link %s", MobileLink(api1))
	}
	for _, text := range []string{"", "mobileSign:", "mobileSign:ftp://x/y", "https://m.egov.kz/mobileSign/", "x", "mobileSign:/mgovSign/1", "javascript:alert(1)"} {
		if got, err := Address(text); !errors.Is(err, ErrMessage) {
			t.Errorf("%q leads to %q, %v", text, got, err)
		}
	}
}

func TestTime(t *testing.T) {
	want := time.Date(2026, 9, 1, 16, 21, 37, 60e6, time.FixedZone("", 6*3600))
	for _, text := range []string{`"2026-09-01T16:21:37.06+0600"`, `"2026-09-01T16:21:37.060+06:00"`, `"2026-09-01T10:21:37.06Z"`} {
		var got Time
		if err := json.Unmarshal([]byte(text), &got); err != nil || !got.Equal(want) {
			t.Errorf("%s: %s, %v", text, got, err)
		}
	}
	if b, err := json.Marshal(Time{want}); err != nil || string(b) != `"2026-09-01T16:21:37.060+0600"` {
		t.Errorf("written as %s, %v", b, err)
	}
	var got Time
	for _, text := range []string{`""`, `"tomorrow"`, `7`} {
		if json.Unmarshal([]byte(text), &got) == nil {
			t.Errorf("%s is a moment", text)
		}
	}
}

func TestReadPackage(t *testing.T) {
	good := Package{Method: Mix, Version: Version, Documents: []Document{
		{ID: 1, Method: XML, XML: "<a/>"}, {ID: 2, Method: CMSSignOnly, Document: &Attached{File{Mime: "@file/pdf", Data: []byte("%PDF")}}}}}
	b, err := json.Marshal(good)
	if err != nil {
		t.Fatal(err)
	}
	p, err := ReadPackage(b)
	if err != nil || p.MethodOf(p.Documents[1]) != CMSSignOnly || string(p.Documents[1].Content()) != "%PDF" || string(p.Documents[0].Content()) != "<a/>" {
		t.Fatalf("read %+v, %v", p, err)
	}
	signed := p.Documents[1].With([]byte("cms"))
	if string(signed.Content()) != "cms" || signed.Document.File.Mime != "@file/pdf" || string(p.Documents[1].Content()) != "%PDF" {
		t.Error("the content is not put in the same place, or into the original")
	}
	for name, text := range map[string]string{
		"not JSON":          `<a/>`,
		"no documents":      `{"signMethod":"XML","version":2,"documentsToSign":[]}`,
		"an unknown method": `{"signMethod":"RAW","version":2,"documentsToSign":[{"id":1,"documentXml":"<a/>"}]}`,
		"XML as a file":     `{"signMethod":"XML","version":2,"documentsToSign":[{"id":1,"document":{"file":{"mime":"","data":"YQ=="}}}]}`,
		"a file as XML":     `{"signMethod":"CMS_SIGN_ONLY","version":2,"documentsToSign":[{"id":1,"documentXml":"<a/>"}]}`,
		"nothing in it":     `{"signMethod":"XML","version":2,"documentsToSign":[{"id":1}]}`,
		"a number twice":    `{"signMethod":"XML","version":2,"documentsToSign":[{"id":1,"documentXml":"<a/>"},{"id":1,"documentXml":"<b/>"}]}`,
		"no base64":         `{"signMethod":"CMS_WITH_DATA","version":2,"documentsToSign":[{"id":1,"document":{"file":{"mime":"","data":"*"}}}]}`,
		"fifty-one":         `{"signMethod":"XML","version":2,"documentsToSign":[` + strings.Repeat(`{"id":1,"documentXml":"<a/>"},`, 50) + `{"id":2,"documentXml":"<a/>"}]}`,
		"too long":          strings.Repeat(" ", MaxPackage+1),
	} {
		if _, err := ReadPackage([]byte(text)); !errors.Is(err, ErrMessage) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, text := range []string{`{}`, `[]`, strings.Repeat(" ", maxInvitation+1)} {
		if _, err := ReadInvitation([]byte(text)); !errors.Is(err, ErrMessage) {
			t.Errorf("%.20s is an invitation: %v", text, err)
		}
	}
}
