package dsig

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestSec2ParseRefuses(t *testing.T) {
	attrs := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, ` a%d="1"`, i)
		}
		return b.String()
	}
	for name, in := range map[string]string{
		"nothing": "", "space": " \n", "text": "hello", "declaration alone": `<?xml version="1.0"?>`,
		"doctype": "<!DOCTYPE a><a/>", "doctype with an ID": `<!DOCTYPE a [<!ATTLIST a x ID #IMPLIED>]><a x="1"/>`, "declaration inside": "<a><!ELEMENT b></a>",
		"entity": "<a>&nbsp;</a>", "entity in attribute": `<a b="&x;"/>`, "bare ampersand": "<a>1 & 2</a>", "zero reference": "<a>&#0;</a>",
		"surrogate reference": "<a>&#xD800;</a>", "huge reference": "<a>&#x1000000000000041;</a>", "empty reference": "<a>&#;</a>", "X reference": "<a>&#X41;</a>",
		"XInclude": `<a xmlns:i="http://www.w3.org/2001/XInclude"><i:include href="x"/></a>`, "xml:base": `<a xml:base="http://x/"/>`,
		"UTF-16": `<?xml version="1.0" encoding="UTF-16"?><a/>`, "latin": `<?xml version="1.0" encoding="windows-1251"?><a/>`,
		"not UTF-8": "<a>\xff</a>", "long UTF-8": "<a>\xc0\xaf</a>", "NUL": "<a>\x00</a>", "control": "<a>\x0b</a>", "surrogate": "<a>\xed\xa0\x80</a>", "noncharacter": "<a>\uffff</a>",
		"version 1.1": `<?xml version="1.1"?><a/>`, "no version": `<?xml encoding="UTF-8"?><a/>`, "late declaration": ` <?xml version="1.0"?><a/>`,
		"second root": "<a/><b/>", "text after": "<a/>x", "text before": "x<a/>", "CDATA outside": "<![CDATA[x]]><a/>",
		"same id": `<a Id="1"><b Id="1"/></a>`, "same id, other name": `<a Id="1"><b id="1"/></a>`, "same id on one": `<a Id="1" ID="1"/>`,
		"same id, wsu": `<a Id="1"><b xmlns:u="` + spaceWSU + `" u:Id="1"/></a>`,
		"unclosed":     "<a>", "unclosed tag": "<a", "wrong end": "<a></b>", "end alone": "</a>", "unclosed comment": "<a><!-- </a>", "hyphens": "<a><!-- -- --></a>",
		"attribute twice": `<a b="1" b="2"/>`, "attribute twice by namespace": `<a xmlns:p="u" xmlns:q="u" p:b="1" q:b="2"/>`, "no quotes": "<a b=1/>",
		"no space": `<a b="1"c="2"/>`, "less in attribute": `<a b="<"/>`, "no value": "<a b/>", "open value": `<a b="1/>`, "CDATA end": "<a>]]></a>",
		"undeclared": "<p:a/>", "undeclared attribute": `<a p:b="1"/>`, "undeclared again": `<a><b xmlns:p="u"/><p:c/></a>`, "prefix undone": `<a xmlns:p=""/>`, "xmlns declared": `<a xmlns:xmlns="u"/>`,
		"xml rebound": `<a xmlns:xml="u"/>`, "other prefix for xml": `<a xmlns:p="http://www.w3.org/XML/1998/namespace"/>`, "namespace twice": `<a xmlns="u" xmlns="v"/>`,
		"bad name": "<1a/>", "two colons": "<a:b:c/>", "colon first": "<:a/>", "instruction xml": "<a><?XML x?></a>", "space first": "< a/>",
		"deep": strings.Repeat("<a>", 101) + strings.Repeat("</a>", 101), "nodes": "<a>" + strings.Repeat("<b/>", 100_000) + "</a>",
		"attributes": "<a" + attrs(257) + "/>", "long name": "<" + strings.Repeat("a", 1025) + "/>", "large": "<a>" + strings.Repeat(" ", MaxSize) + "</a>",
	} {
		if _, err := Parse([]byte(in)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestParseAccepts(t *testing.T) {
	for name, in := range map[string]string{
		"declaration": `<?xml version = '1.0'  encoding="utf-8" standalone='yes' ?><a/>`, "deep": strings.Repeat("<a>", 100) + strings.Repeat("</a>", 100),
		"names": "<құжат-1.x сан='1'><_b/></құжат-1.x>", "greater": `<a b=">">></a>`, "instruction": "<a><?xml-stylesheet x?></a>", "bracket": "<a>]] ></a>",
		"same value, not an id": `<a name="1"><b name="1" Id="1"/></a>`, "BOM": "\ufeff<a/>", "after": "<a/>\n<!-- x -->\n", "end space": "<a></a >",
		"emoji": "<a>😀</a>", "references": "<a b='&lt;&gt;&amp;&apos;&quot;&#65;&#x1F600;'/>",
	} {
		if _, err := Parse([]byte(in)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSyntaxError(t *testing.T) {
	for in, want := range map[string]SyntaxError{
		"<this>is not a valid XML": {Line: 1, Column: 25, Unclosed: true},
		"<a>\n <сан>&x;</сан></a>": {Line: 2, Column: 7},
		"<a/>\n<b/>":               {Line: 2, Column: 1},
	} {
		_, err := Parse([]byte(in))
		var e *SyntaxError
		if !errors.As(err, &e) || e.Line != want.Line || e.Column != want.Column || e.Unclosed != want.Unclosed {
			t.Errorf("%q: %v", in, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"<a/>", `<?xml version="1.0"?><a b="c">&lt;<b/></a>`, "<a><![CDATA[x]]><!--y--></a>", `<p:a xmlns:p="u" Id="1"/>`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		d, err := Parse(in)
		if err != nil {
			return
		}
		d.root.walk(func(n *node) bool {
			if n.start < 0 || n.end > len(in) || n.start >= n.end {
				t.Fatalf("node of %d..%d in %d bytes", n.start, n.end, len(in))
			}
			return true
		})
		// What parses is written back to the same bytes, with markup put in and taken out.
		if out := d.insert(d.root, nil); !d.root.selfClosed && string(out) != declaration+string(in[d.root.start:d.root.end]) {
			t.Fatalf("bytes were not kept: %q", out)
		}
		if _, err := d.Verify(); err == nil {
			t.Fatal("verifies")
		}
	})
}
