package agent

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"senim/dsig"
)

// TestLargeXML: a report of a hundred thousand rows is shown in time and signed; a document made to be slow is refused or
// shown as fast; neither keeps other sites from their windows.
func TestLargeXML(t *testing.T) {
	fill := func(size int, one func(i int) string) string {
		var b strings.Builder
		for i := 0; b.Len() < size; i++ {
			b.WriteString(one(i))
		}
		return b.String()
	}
	always := func(s string) func(int) string { return func(int) string { return s } }
	const size = 4 << 20
	for name, c := range map[string]struct {
		xml    string
		window bool
	}{
		"rows":       {"<r>" + fill(size, always("<row><sum>125000.00</sum><n>17</n></row>")) + "</r>", true},
		"text":       {"<r>" + strings.Repeat("текст ", size/11) + "</r>", true},
		"references": {"<r>" + fill(size, always("&amp;")) + "</r>", true},
		"ids":        {"<r>" + fill(size, func(i int) string { return fmt.Sprintf(`<b Id="i%d"/>`, i) }) + "</r>", true},
		"prefixes":   {"<r>" + fill(size, func(i int) string { return fmt.Sprintf(`<a%d:x xmlns:a%d="u%d"/>`, i, i, i) }) + "</r>", true},
		"sections":   {"<r>" + fill(size, always("<![CDATA[x]]>")) + "</r>", true},
		"tags":       {"<r>" + fill(size, always("<a/>")) + "</r>", false}, // more than a million
		"attributes": {"<r " + fill(size, func(i int) string { return fmt.Sprintf(`a%d="1" `, i) }) + "/>", false},
		"deep":       {strings.Repeat("<a>", 300) + strings.Repeat("</a>", 300), false},
	} {
		t.Run(name, func(t *testing.T) {
			b := bring(t)
			s := b.dial(page)
			quoted, err := json.Marshal(c.xml)
			if err != nil {
				t.Fatal(err)
			}
			begun := time.Now()
			s.send(commonCall("signXml", `"PKCS12","SIGNATURE",`+string(quoted)+`,"",""`))
			if !c.window {
				if got := s.read(); !strings.Contains(got, `"500"`) || !strings.Contains(got, "SAXParseException") {
					t.Errorf("%.200s", got)
				}
			} else {
				h := b.window()
				if d := h.view.Documents[0]; !d.Cut || d.Kind != "xml" || d.Size != len(c.xml) || len(d.Text) > maxShown || len(d.Text) < maxShown/2 {
					t.Errorf("%s of %d bytes, %d are shown", d.Kind, d.Size, len(d.Text))
				}
				h.cancel()
			}
			if took := time.Since(begun); took > 15*time.Second { // was minutes
				t.Errorf("it took %v", took)
			}
		})
	}
	t.Run("signed", func(t *testing.T) {
		b := bring(t)
		b.key("a.p12", b.authority.Individual())
		s := b.dial(page)
		xml := "<r>" + strings.Repeat("<row><sum>125000.00</sum><n>17</n></row>", 60_000) + `<last Id=\"x\"><sum>1</sum></last></r>` // 300,000 nodes
		s.send(commonCall("signXml", `"PKCS12","SIGNATURE","`+xml+`","//*[@Id='x']","/r"`))
		h := b.window()
		if parts := h.view.Documents[0].Parts; len(parts) < 2 || !parts[1].Signed || !strings.Contains(parts[1].Text, "<sum>1</sum>") {
			t.Errorf("the signed part is not shown: %d parts", len(parts))
		}
		h.decide(Decision{Key: h.unlock("a.p12")})
		got := object[string](t, s.read())
		if !strings.Contains(got, "<ds:Signature") {
			t.Fatalf("%.200s", got)
		}
		doc, err := parseWithin(got, xmlBounds)
		if err != nil {
			t.Fatal(err)
		}
		if v, err := doc.VerifyElement(dsig.Place{Element: "/r/last", Parent: "/r"}); err != nil || v.ID != "x" {
			t.Errorf("%+v, %v", v, err)
		}
	})
}

// TestLargeXMLWaits: a document of very many nodes waits for the one before it, and no longer than its page; the agents of two
// people do not wait for each other.
func TestLargeXMLWaits(t *testing.T) {
	b, other := bring(t), bring(t)
	const waits = 1 << 20
	request := commonCall("signXml", `"PKCS12","SIGNATURE","<r>`+strings.Repeat("<a/>", waits/4)+`</r>","",""`)
	b.agent.crowd <- struct{}{} // somebody's document is there
	s := b.dial(page)
	s.send(request)
	becomes(t, func() bool { all, _ := b.agent.budget.counted(); return all >= waits }) // it is read
	small := b.dial("https://small.example.kz")
	small.send(commonCall("signXml", `"PKCS12","SIGNATURE","<r/>","",""`))
	b.window().cancel()
	small.read()
	there := other.dial(page)
	there.send(request)
	other.window().cancel()
	there.read()
	_ = s.c.CloseNow()
	_ = small.c.CloseNow()
	becomes(t, func() bool {
		b.agent.mu.Lock()
		defer b.agent.mu.Unlock()
		return len(b.agent.seats) == 0
	})
	next := b.dial(page)
	next.send(request)
	<-b.agent.crowd
	b.window().cancel()
	next.read()
}

// TestEveryDocumentIsListed: of many documents each is in the window, the later ones by size and digest; more than anybody
// can look through are refused.
func TestEveryDocumentIsListed(t *testing.T) {
	b := bring(t)
	b.key("a.p12", b.authority.Individual())
	s := b.dial(page)
	docs := func(n int) string {
		list := make([]string, n)
		for i := range list {
			list[i] = `"<a n='` + strconv.Itoa(i) + `'/>"`
		}
		return commonCall("signXmls", `"PKCS12","",[`+strings.Join(list, ",")+`],"",""`)
	}
	const n = maxDocuments + 10
	s.send(docs(n))
	h := b.window()
	seen := map[string]bool{}
	for i, d := range h.view.Documents {
		if seen[d.Digest] || d.Size == 0 || (d.Text == "") != (i >= maxDocuments) {
			t.Errorf("document %d: %+v", i, d)
		}
		seen[d.Digest] = true
	}
	if len(seen) != n || h.view.Count != n || !strings.Contains(h.view.More, "10") {
		t.Errorf("%d of %d documents, %q", len(seen), n, h.view.More)
	}
	h.decideAll(Decision{Key: h.unlock("a.p12")})
	if got := object[[]string](t, s.read()); len(got) != n {
		t.Errorf("%d are signed", len(got))
	}
	if got := s.ask(docs(maxListed + 1)); !strings.Contains(got, `"500"`) {
		t.Errorf("%.200s", got)
	}
	b.noWindow()
}
