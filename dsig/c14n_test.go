package dsig

import "testing"

// Examples of Canonical XML 1.0 §3 without their DTDs, and of Exclusive C14N §2.
func TestCanonicalize(t *testing.T) {
	for _, c := range []struct {
		name, in, inclusive, exclusive string // exclusive "" = the same
	}{
		{"3.1 instructions and comments",
			"<?xml version=\"1.0\"?>\n\n<?xml-stylesheet   href=\"doc.xsl\"\n   type=\"text/xsl\"   ?>\n\n<doc>Hello, world!<!-- Comment 1 --></doc>\n\n<?pi-without-data     ?>\n\n<!-- Comment 2 -->\n",
			"<?xml-stylesheet href=\"doc.xsl\"\n   type=\"text/xsl\"   ?>\n<doc>Hello, world!</doc>\n<?pi-without-data?>", ""},
		{"3.2 white space", "<doc>\n   <clean>   </clean>\n   <mixed>\n      A\n      <clean>   </clean>\n   </mixed>\n</doc>",
			"<doc>\n   <clean>   </clean>\n   <mixed>\n      A\n      <clean>   </clean>\n   </mixed>\n</doc>", ""},
		{"3.3 tags", `<doc>
   <e1   />
   <e2   ></e2>
   <e3   name = "elem3"   id="elem3"   />
   <e5 a:attr="out" b:attr="sorted" attr2="all" attr="I'm"
      xmlns:b="http://www.ietf.org"
      xmlns:a="http://www.w3.org"
      xmlns="http://example.org"/>
   <e6 xmlns="" xmlns:a="http://www.w3.org">
      <e7 xmlns="http://www.ietf.org">
         <e8 xmlns="" xmlns:a="http://www.w3.org">
            <e9 xmlns="" xmlns:a="http://www.ietf.org"/>
         </e8>
      </e7>
   </e6>
</doc>`, `<doc>
   <e1></e1>
   <e2></e2>
   <e3 id="elem3" name="elem3"></e3>
   <e5 xmlns="http://example.org" xmlns:a="http://www.w3.org" xmlns:b="http://www.ietf.org" attr="I'm" attr2="all" b:attr="sorted" a:attr="out"></e5>
   <e6 xmlns:a="http://www.w3.org">
      <e7 xmlns="http://www.ietf.org">
         <e8 xmlns="">
            <e9 xmlns:a="http://www.ietf.org"></e9>
         </e8>
      </e7>
   </e6>
</doc>`, `<doc>
   <e1></e1>
   <e2></e2>
   <e3 id="elem3" name="elem3"></e3>
   <e5 xmlns="http://example.org" xmlns:a="http://www.w3.org" xmlns:b="http://www.ietf.org" attr="I'm" attr2="all" b:attr="sorted" a:attr="out"></e5>
   <e6>
      <e7 xmlns="http://www.ietf.org">
         <e8 xmlns="">
            <e9></e9>
         </e8>
      </e7>
   </e6>
</doc>`},
		{"3.4 characters", "<doc><text>First line&#x0d;&#10;Second line</text><value>&#x32;</value><compute><![CDATA[value>\"0\" && value<\"10\" ?\"valid\":\"error\"]]></compute>" +
			`<compute expr='value>"0" &amp;&amp; value&lt;"10" ?"valid":"error"'>valid</compute><norm attr=' &apos;   &#x20;&#13;&#xa;&#9;   &apos; '/></doc>`,
			"<doc><text>First line&#xD;\nSecond line</text><value>2</value><compute>value&gt;\"0\" &amp;&amp; value&lt;\"10\" ?\"valid\":\"error\"</compute>" +
				`<compute expr="value>&quot;0&quot; &amp;&amp; value&lt;&quot;10&quot; ?&quot;valid&quot;:&quot;error&quot;">valid</compute><norm attr=" '    &#xD;&#xA;&#x9;   ' "></norm></doc>`, ""},
		{"3.6 UTF-8", "<doc>&#169;Қ</doc>", "<doc>©Қ</doc>", ""},
		{"line ends", "<a b='1\r\n2\r3\n4'>1\r\n2\r3\n4</a>", `<a b="1 2 3 4">` + "1\n2\n3\n4</a>", ""},
		{"unused prefix", `<n0:a xmlns:n0="u:0" xmlns:n1="u:1"><n1:b/><c n1:x="1"/></n0:a>`,
			`<n0:a xmlns:n0="u:0" xmlns:n1="u:1"><n1:b></n1:b><c n1:x="1"></c></n0:a>`,
			`<n0:a xmlns:n0="u:0"><n1:b xmlns:n1="u:1"></n1:b><c xmlns:n1="u:1" n1:x="1"></c></n0:a>`},
		{"rebound prefix", `<a xmlns:p="u:1"><p:b/><p:b xmlns:p="u:2"><p:c xmlns:p="u:1"/></p:b></a>`,
			`<a xmlns:p="u:1"><p:b></p:b><p:b xmlns:p="u:2"><p:c xmlns:p="u:1"></p:c></p:b></a>`,
			`<a><p:b xmlns:p="u:1"></p:b><p:b xmlns:p="u:2"><p:c xmlns:p="u:1"></p:c></p:b></a>`},
		{"default undone", `<a xmlns="u:1"><b xmlns=""><c/></b></a>`, `<a xmlns="u:1"><b xmlns=""><c></c></b></a>`, ""},
		{"repeated declaration", `<a xmlns="u:1"><b xmlns="u:1" xml:lang="kk"/></a>`, `<a xmlns="u:1"><b xml:lang="kk"></b></a>`, ""},
		{"prefix xml declared", `<a xmlns:xml="http://www.w3.org/XML/1998/namespace" xml:space="preserve"/>`, `<a xml:space="preserve"></a>`, ""},
	} {
		if c.exclusive == "" {
			c.exclusive = c.inclusive
		}
		for exclusive, want := range map[bool]string{false: c.inclusive, true: c.exclusive} {
			got, err := Canonicalize([]byte(c.in), exclusive)
			if err != nil || string(got) != want {
				t.Errorf("%s, exclusive %v: %v\n got %s\nwant %s", c.name, exclusive, err, got, want)
			}
			again, err := Canonicalize(got, exclusive)
			if err != nil || string(again) != want {
				t.Errorf("%s, exclusive %v, again: %v\n got %s", c.name, exclusive, err, again)
			}
		}
	}
}

// An element inside a document takes over namespaces and xml: attributes in the inclusive form.
func TestCanonicalizeElement(t *testing.T) {
	src := `<a xmlns="u:d" xmlns:p="u:p" xmlns:q="u:q" xml:lang="kk" xml:space="preserve" x="1"><b xml:lang="ru" xmlns:q="u:q2"><c Id="c"><!--x--><p:d/></c></b></a>`
	d, err := Parse([]byte(src))
	if err != nil {
		t.Fatal(err)
	}
	for m, want := range map[method]string{
		{}:                `<c xmlns="u:d" xmlns:p="u:p" xmlns:q="u:q2" Id="c" xml:lang="ru" xml:space="preserve"><p:d></p:d></c>`,
		{exclusive: true}: `<c xmlns="u:d" Id="c"><p:d xmlns:p="u:p"></p:d></c>`,
		{exclusive: true, prefixes: "q #default"}: `<c xmlns="u:d" xmlns:q="u:q2" Id="c"><p:d xmlns:p="u:p"></p:d></c>`,
		{exclusive: true, prefixes: "p none"}:     `<c xmlns="u:d" xmlns:p="u:p" Id="c"><p:d></p:d></c>`,
		{comments: true}:                          `<c xmlns="u:d" xmlns:p="u:p" xmlns:q="u:q2" Id="c" xml:lang="ru" xml:space="preserve"><!--x--><p:d></p:d></c>`,
	} {
		if got := string(m.canonicalize(d.ids["c"])); got != want {
			t.Errorf("%+v:\n got %s\nwant %s", m, got, want)
		}
	}
}

func FuzzCanonicalize(f *testing.F) {
	for _, s := range []string{"<a/>", `<a xmlns="u" b="c">&lt;<!--x--><?p q?><p:b xmlns:p="v"/></a>`, "<a><![CDATA[<]]></a>"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		for _, exclusive := range []bool{false, true} {
			once, err := Canonicalize(in, exclusive)
			if err != nil {
				return
			}
			twice, err := Canonicalize(once, exclusive)
			if err != nil || string(twice) != string(once) {
				t.Fatalf("canonical form of the canonical form differs: %v\n%q\n%q", err, once, twice)
			}
		}
	})
}
