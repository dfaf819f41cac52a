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
