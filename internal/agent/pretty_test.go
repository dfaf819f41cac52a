package agent

import (
	"strings"
	"testing"

	"senim/internal/lang"
)

// shown writes parts with the signed ones in brackets.
func shown(parts []Part) string {
	var b strings.Builder
	for _, p := range parts {
		if p.Signed {
			b.WriteString("[" + p.Text + "]")
			continue
		}
		b.WriteString(p.Text)
	}
	return b.String()
}

func TestPretty(t *testing.T) {
	for _, c := range []struct{ xml, id, want string }{
		{"<a><b>text</b><c/></a>", "", "<a>\n  <b>text</b>\n  <c/>\n</a>"},
		{"<?xml version=\"1.0\"?>\n\n<a>\t<b></b></a>\n", "", "<?xml version=\"1.0\"?>\n<a>\n  <b></b>\n</a>"},
		{"<a>mixed <b>text</b> stays</a>", "", "<a>mixed <b>text</b> stays</a>"},
		{"<a><!-- <b><c> --><![CDATA[<x><y>]]></a>", "", "<a>\n  <!-- <b><c> --><![CDATA[<x><y>]]></a>"},
		{`<a t="1>2"><b/></a>`, "", "<a t=\"1>2\">\n  <b/>\n</a>"},
		{`<a><b Id="x"><c>1</c></b><d/></a>`, "x", "<a>\n  [<b Id=\"x\">\n    <c>1</c>\n  </b>]\n  <d/>\n</a>"},
		{`<a><b id="x"/><c id="y"/></a>`, "x", "<a>\n  [<b id=\"x\"/>]\n  <c id=\"y\"/>\n</a>"},
		{"<a><b>not closed", "", "<a>\n  <b>not closed"},
		{"no < xml", "", "no < xml"},
	} {
		if got := shown(pretty(c.xml, c.id)); got != c.want {
			t.Errorf("%s:\n%q\nwant\n%q", c.xml, got, c.want)
		}
	}
}

// TestSignedPartIsShown: of a document too long to be shown whole, the part that is signed is.
func TestSignedPartIsShown(t *testing.T) {
	long := "<a><n>" + strings.Repeat("ә", maxShown) + `</n><b Id="x"><sum>100</sum></b></a>`
	parts, cut := cutParts(pretty(long, "x"))
	if !cut || !strings.Contains(shown(parts), "<sum>100</sum>") || len(parts[0].Text) > around+8 {
		t.Errorf("cut %v, %d parts", cut, len(parts))
	}
	parts, cut = cutParts(pretty(long, ""))
	if text, whole := wholeText(parts); !cut || !whole || len(text) > maxShown {
		t.Errorf("cut %v, %d bytes", cut, len(text))
	}
	d := Document{}
	if d.lay(`<a><b Id="x"/></a>`, "x"); d.Text != "" || len(d.Parts) != 3 {
		t.Errorf("%+v", d)
	}
}

// TestPain15DocumentKinds: what can be shown is shown; of the rest size and digest, and that it is so.
func TestPain15DocumentKinds(t *testing.T) {
	for content, want := range map[string]string{"текст": "text", "<a><b/></a>": "xml", "%PDF-1.7 …": "pdf", "\x00\x01": "binary", "a\u202eb": "binary"} {
		d := showContent([]byte(content), nil, lang.RU)
		if d.Kind != want || d.Size != len(content) || len(d.Digest) != 64 || (d.Text == "") != (want == "pdf" || want == "binary") || (d.Note == "") != (d.Text != "") {
			t.Errorf("%q: %+v", content, d)
		}
	}
}
