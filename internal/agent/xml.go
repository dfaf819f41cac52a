package agent

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"senim/dsig"
	"senim/internal/lang"
)

// xmlBounds take what the socket carries: reports of hundreds of thousands of rows.
var xmlBounds = dsig.Bounds{Size: maxMessage, Depth: 256, Nodes: 1_000_000}

// crowd lets one document with more nodes than a server would take be in memory at a time: its tree takes up to a quarter of
// a GiB.
type crowd chan struct{}

func newCrowd() crowd { return make(crowd, 1) }

// take waits until a document may be taken apart, no longer than ctx; the caller then calls leave.
func (c crowd) take(ctx context.Context, xml string) (leave func(), err error) {
	if strings.Count(xml, "<") < dsig.MaxNodes/2 {
		return func() {}, nil
	}
	select {
	case c <- struct{}{}:
		return func() { <-c }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// lookXML is [Agent.lookXML] for the asking site: an application of a cabinet, that names another one, is refused as a challenge of
// another site is. task.wants has that site then.
func (t *talk) lookXML(ctx context.Context, task *signing, xml string, part func(*dsig.Document) (string, error), tag lang.Tag) (id string, shown Document, err error) {
	if another, bad := relayedApplication(xml, t.site); bad {
		task.wants, task.relayed = []string{another}, "application"
		return "", Document{}, errOrigin
	}
	return t.agent.lookXML(ctx, xml, part, tag)
}

// relayedApplication tells whether a document is an application of the cabinet (cabinet.md R7) that another origin than the
// asking one wrote: signed, it would renew a key. A program of this machine has no origin, and is not held to one.
func relayedApplication(xml string, s site) (another string, bad bool) {
	if s.Origin == "" || !strings.Contains(xml, "<application") || !strings.Contains(xml, "<origin") {
		return "", false
	}
	doc, err := parseXML(xml)
	if err != nil {
		return "", false // it is refused for that, or larger than the cabinet takes
	}
	root := doc.RootWithoutSignatures()
	if root.Local != "application" || root.Space != "" || root.Attr("version") == "" || root.Child("requests") == nil {
		return "", false
	}
	for _, origin := range root.All("origin") {
		if o := strings.TrimSpace(origin.Text); o != s.Origin {
			return o, true
		}
	}
	return "", false
}

// lookXML reads a document that is to be signed and shows it. part, unless it is nil, gives the id of the element that the
// signature will cover.
func (a *Agent) lookXML(ctx context.Context, xml string, part func(*dsig.Document) (string, error), tag lang.Tag) (id string, shown Document, err error) {
	leave, err := a.crowd.take(ctx, xml)
	if err != nil {
		return "", Document{}, err
	}
	defer leave()
	doc, err := parseWithin(xml, xmlBounds)
	if err != nil {
		return "", Document{}, err
	}
	if part != nil {
		if id, err = part(doc); err != nil {
			return "", Document{}, err
		}
	}
	return id, a.showXML(xml, doc, id, tag), nil
}

// parseXML parses what is not large: it waits for nobody.
func parseXML(xml string) (*dsig.Document, error) { return parseWithin(xml, dsig.Bounds{}) }

// parseWithin gives the errors the words of the parser NCALayer has, which some pages print.
func parseWithin(xml string, bounds dsig.Bounds) (*dsig.Document, error) {
	doc, err := dsig.ParseWithin([]byte(xml), bounds)
	if err == nil {
		return doc, nil
	}
	line, column, reason := 1, 1, err.Error()
	if syntax, ok := errors.AsType[*dsig.SyntaxError](err); ok {
		line, column, reason = syntax.Line, syntax.Column, syntax.Reason
		if syntax.Unclosed {
			reason = "XML document structures must start and end within the same entity."
		}
	}
	return nil, fmt.Errorf("org.xml.sax.SAXParseException; lineNumber: %d; columnNumber: %d; %s", line, column, reason)
}
