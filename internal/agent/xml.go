package agent

import (
	"errors"
	"fmt"
	"strings"

	"senim/dsig"
	"senim/internal/lang"
)

// xmlBounds take what the socket carries: reports of hundreds of thousands of rows.
var xmlBounds = dsig.Bounds{Size: maxMessage, Depth: 256, Nodes: 1_000_000}

// crowded lets one document with more nodes than a server would take be in memory at a time: its tree takes up to a quarter of a GiB.
var crowded = make(chan struct{}, 1)

// room waits until a document may be taken apart; the caller then calls leave.
func room(xml string) (leave func()) {
	if strings.Count(xml, "<") < dsig.MaxNodes/2 {
		return func() {}
	}
	crowded <- struct{}{}
	return func() { <-crowded }
}

// lookXML is [Agent.lookXML] for the asking site: an application of a cabinet, that names another one, is refused as a challenge of
// another site is. task.wants has that site then.
func (t *talk) lookXML(task *signing, xml string, part func(*dsig.Document) (string, error), tag lang.Tag) (id string, shown Document, err error) {
	if another, bad := relayedApplication(xml, t.site); bad {
		task.wants, task.relayed = []string{another}, "application"
		return "", Document{}, errOrigin
	}
	return t.agent.lookXML(xml, part, tag)
}

// relayedApplication tells whether a document is an application of the cabinet (cabinet.md R7) that another origin than the
// asking one wrote: signed, it would renew a key. A program of this machine has no origin, and is not held to one.
func relayedApplication(xml string, s site) (another string, bad bool) {
	if s.Origin == "" || !strings.Contains(xml, "<application") || !strings.Contains(xml, "<origin") {
		return "", false
	}
	defer room(xml)()
	doc, err := parseXML(xml)
	if err != nil {
		return "", false // it is refused for that
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
func (a *Agent) lookXML(xml string, part func(*dsig.Document) (string, error), tag lang.Tag) (id string, shown Document, err error) {
	defer room(xml)()
	doc, err := parseXML(xml)
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

// parseXML gives the errors the words of the parser NCALayer has, which some pages print.
func parseXML(xml string) (*dsig.Document, error) {
	doc, err := dsig.ParseWithin([]byte(xml), xmlBounds)
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
