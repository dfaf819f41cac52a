// Package robot is a person without a browser: it opens the pages of our sites, fills their forms,
// answers the agent's window, and reads letters, all through the same public doors a person uses.
//
// The tour walks both stories with it, and tests use it where a browser would add nothing. It
// knows no private door: what the robot cannot reach, a person without scripts could not either,
// save the one script of our pages, which the robot does by hand ([Form.Answer]).
package robot

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"

	"golang.org/x/net/html"
)

// maxPage bounds what is read of one page, in bytes.
const maxPage = 8 << 20

// Browser keeps the cookies of one person. Not for concurrent use.
type Browser struct {
	client *http.Client
	lang   string
}

// NewBrowser gives a browser without cookies that asks for pages in lang ("ru", "kk", "en").
func NewBrowser(lang string) *Browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		panic(err) // only options can fail, and there are none
	}
	return &Browser{client: &http.Client{Jar: jar}, lang: lang}
}

// Client is what the browser fetches with: it has the person's cookies.
func (b *Browser) Client() *http.Client { return b.client }

// Open gets a page by its address. A page with an error status is a page too: see [Page.Status].
func (b *Browser) Open(ctx context.Context, address string) (*Page, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", address, err)
	}
	return b.do(req)
}

func (b *Browser) do(req *http.Request) (*Page, error) {
	req.Header.Set("Accept", "text/html")
	req.Header.Set("Accept-Language", b.lang)
	resp, err := b.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("open page: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxPage))
	if err != nil {
		return nil, fmt.Errorf("read page: %w", err)
	}
	doc, err := html.Parse(bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("read page: %w", err)
	}
	return &Page{browser: b, URL: resp.Request.URL, Status: resp.StatusCode, doc: doc}, nil
}

// Page is what came back for one address, redirects followed.
type Page struct {
	browser *Browser
	URL     *url.URL
	Status  int
	doc     *html.Node
}

// Heading is the text of the first h1, which on our pages says what the page is for.
func (p *Page) Heading() string {
	if n := find(p.doc, func(n *html.Node) bool { return n.Data == "h1" }); n != nil {
		return text(n)
	}
	return ""
}

// Text is what a reader sees in the main part of the page, white space folded.
func (p *Page) Text() string {
	if n := find(p.doc, func(n *html.Node) bool { return n.Data == "main" }); n != nil {
		return text(n)
	}
	return text(p.doc)
}

// Has reports whether the reader sees the words.
func (p *Page) Has(words string) bool { return strings.Contains(p.Text(), words) }

// Code is the code of the refusal the page shows (its data-code), or "".
func (p *Page) Code() string {
	n := find(p.doc, func(n *html.Node) bool { return attr(n, "data-code") != "" })
	if n == nil {
		return ""
	}
	return attr(n, "data-code")
}

// Codes are the codes of everything the page says failed.
func (p *Page) Codes() []string {
	var codes []string
	each(p.doc, func(n *html.Node) {
		if code := attr(n, "data-code"); code != "" {
			codes = append(codes, code)
		}
	})
	return codes
}

// Follow opens the first link of the page whose address matches the regular expression.
func (p *Page) Follow(ctx context.Context, pattern string) (*Page, error) {
	re, err := regexp.Compile(pattern)
	if err != nil {
		return nil, fmt.Errorf("follow a link: %w", err)
	}
	n := find(p.doc, func(n *html.Node) bool { return n.Data == "a" && re.MatchString(attr(n, "href")) })
	if n == nil {
		return nil, fmt.Errorf("%s: no link to %q", p.URL.Path, pattern)
	}
	to, err := p.URL.Parse(attr(n, "href"))
	if err != nil {
		return nil, fmt.Errorf("%s: link %q: %w", p.URL.Path, pattern, err)
	}
	return p.browser.Open(ctx, to.String())
}

// Reload opens the same address again.
func (p *Page) Reload(ctx context.Context) (*Page, error) { return p.browser.Open(ctx, p.URL.String()) }

// Form is a form of a page with the values a browser would send.
type Form struct {
	page   *Page
	action *url.URL
	get    bool
	file   bool
	values url.Values
	files  map[string][]byte
	agent  string
	field  string
}

// Form finds the form whose action, id or one of whose field names contains part; an empty part
// takes the first form of the main part of the page.
func (p *Page) Form(part string) (*Form, error) {
	root := find(p.doc, func(n *html.Node) bool { return n.Data == "main" })
	if root == nil {
		root = p.doc
	}
	n := find(root, func(n *html.Node) bool {
		return n.Data == "form" && (part == "" || strings.Contains(attr(n, "action"), part) || attr(n, "id") == part ||
			find(n, func(f *html.Node) bool { return attr(f, "name") == part }) != nil)
	})
	if n == nil {
		return nil, fmt.Errorf("%s: no form %q on the page %q", p.URL.Path, part, p.Heading())
	}
	action, err := p.URL.Parse(attr(n, "action"))
	if err != nil {
		return nil, fmt.Errorf("%s: form %q: %w", p.URL.Path, part, err)
	}
	f := &Form{page: p, action: action, values: url.Values{}, agent: attr(n, "data-agent"), field: attr(n, "data-agent-field"),
		get: !strings.EqualFold(attr(n, "method"), "post"), file: attr(n, "enctype") == "multipart/form-data"}
	each(n, func(c *html.Node) {
		name := attr(c, "name")
		if name == "" {
			return
		}
		switch c.Data {
		case "input":
			kind := attr(c, "type")
			if (kind == "checkbox" || kind == "radio") && !has(c, "checked") || kind == "submit" || kind == "file" {
				return
			}
			f.values.Add(name, attr(c, "value"))
		case "textarea":
			f.values.Add(name, rawText(c))
		case "select":
			each(c, func(o *html.Node) {
				if o.Data == "option" && has(o, "selected") {
					f.values.Set(name, attr(o, "value"))
				}
			})
		}
	})
	return f, nil
}

// Set types a value into a field, replacing what stood there.
func (f *Form) Set(name, value string) *Form { f.values.Set(name, value); return f }

// Value is what a field holds.
func (f *Form) Value(name string) string { return f.values.Get(name) }

// Request is the message the page asks the agent with, or "" for an ordinary form.
func (f *Form) Request() string { return f.agent }

// Answer puts the agent's answer where the page's script would put it.
func (f *Form) Answer(value string) *Form { f.values.Set(f.field, value); return f }

// Attach chooses a file in the field name; an empty form of files sends none.
func (f *Form) Attach(name string, file []byte) *Form {
	if f.files == nil {
		f.files = map[string][]byte{}
	}
	f.files[name] = file
	return f
}

// Submit sends the form as the page's own button would and gives the page that follows.
func (f *Form) Submit(ctx context.Context) (*Page, error) {
	if f.get {
		to := *f.action
		to.RawQuery = f.values.Encode()
		return f.page.browser.Open(ctx, to.String())
	}
	body, kind := io.Reader(strings.NewReader(f.values.Encode())), "application/x-www-form-urlencoded"
	if f.file {
		var b bytes.Buffer
		w := multipart.NewWriter(&b)
		for name, vs := range f.values {
			for _, v := range vs {
				if err := w.WriteField(name, v); err != nil {
					return nil, fmt.Errorf("send form: %w", err)
				}
			}
		}
		for name, file := range f.files {
			part, err := w.CreateFormFile(name, name)
			if err == nil {
				_, err = part.Write(file)
			}
			if err != nil {
				return nil, fmt.Errorf("send form: %w", err)
			}
		}
		if err := w.Close(); err != nil {
			return nil, fmt.Errorf("send form: %w", err)
		}
		body, kind = &b, w.FormDataContentType()
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, f.action.String(), body)
	if err != nil {
		return nil, fmt.Errorf("send form: %w", err)
	}
	req.Header.Set("Content-Type", kind)
	req.Header.Set("Origin", f.page.URL.Scheme+"://"+f.page.URL.Host)
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	return f.page.browser.do(req)
}

func find(n *html.Node, ok func(*html.Node) bool) *html.Node {
	if n.Type == html.ElementNode && ok(n) {
		return n
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if hit := find(c, ok); hit != nil {
			return hit
		}
	}
	return nil
}

func each(n *html.Node, f func(*html.Node)) {
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if c.Type == html.ElementNode {
			f(c)
		}
		each(c, f)
	}
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func has(n *html.Node, name string) bool {
	for _, a := range n.Attr {
		if a.Key == name {
			return true
		}
	}
	return false
}

func rawText(n *html.Node) string {
	if n.FirstChild != nil {
		return n.FirstChild.Data
	}
	return ""
}

// text is the visible text below a node: scripts, styles and hidden parts left out.
func text(n *html.Node) string {
	var b strings.Builder
	var walk func(*html.Node)
	walk = func(n *html.Node) {
		if n.Type == html.TextNode {
			b.WriteString(n.Data + " ")
		}
		if n.Type == html.ElementNode && (n.Data == "script" || n.Data == "style" || n.Data == "template" || n.Data == "noscript" || has(n, "hidden")) {
			return
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			walk(c)
		}
	}
	walk(n)
	return strings.Join(strings.Fields(b.String()), " ")
}
