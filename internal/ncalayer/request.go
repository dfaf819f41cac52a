package ncalayer

import (
	"bytes"
	"errors"
	"strings"
)

// Request is one text frame, read but not yet checked against its module.
type Request struct {
	Module    string
	HasModule bool
	Method    string // "" also when it is missing or not a string: see the module's own checks
	UUID      string // commonUtils only
	Empty     bool   // {}: another site's keep-alive, not answered
	object    *Object
}

// ReadRequest reads a frame that is not a heartbeat.
func ReadRequest(text []byte) (*Request, error) {
	value, err := Read(text)
	o, ok := value.(*Object)
	switch {
	case !ok && !bytes.HasPrefix(bytes.TrimLeft(text, " \t\r\n"), []byte("{")): // org.json's words
		return nil, errors.New("read message: A JSONObject text must begin with '{' at character 1")
	case err != nil:
		return nil, err
	}
	r := &Request{object: o, Empty: o.Len() == 0}
	if v, there := o.Lookup("module"); there && v != nil {
		r.HasModule = true
		r.Module, _ = v.(string)
	}
	r.Method, _ = stringOf(o, "method")
	switch v, _ := o.Lookup("uuid"); u := v.(type) {
	case string:
		r.UUID = u
	case Number:
		r.UUID = string(u)
	}
	return r, nil
}

// Unreadable is the answer to a frame that is not JSON at all; the socket stays open.
func Unreadable(err error) []byte {
	return CommonError(strings.TrimPrefix(err.Error(), "read message: "), "")
}

func stringOf(o *Object, name string) (string, bool) {
	v, _ := o.Lookup(name)
	s, ok := v.(string)
	return s, ok
}
