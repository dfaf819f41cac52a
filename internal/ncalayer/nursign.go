package ncalayer

import (
	"bytes"
	"encoding/json"
)

// ModuleNUR is the procurement portal's.
const ModuleNUR = "NURSign"

// Codes of NURSign.
const (
	NURCanceled = 1
	NURTooBig   = 2
	NURUpload   = 3
	NURNoFile   = 4
	NURServer   = 5
	NURXML      = 9
	NURSigning  = 10
	NURFile     = 11
	NURURL      = 14
	NUROffline  = 997
	NURGeneral  = 999
)

// NURCall is a checked call of NURSign.
type NURCall struct {
	Type  string   // version, xml, multixml, text, multitext, binary or file
	Data  []string // the documents; of binary, the base64 or nothing
	Names []string // multitext: the name of each
	URL   string   // binary: where the document is to be fetched from, "" when Data has it; file: where it goes
	Token string   // file: goes with it
}

// NUR checks a call of NURSign; a code that is not 0 is the reply.
func (r *Request) NUR() (call *NURCall, code int) {
	call = &NURCall{}
	call.Type, _ = stringOf(r.object, "type")
	data, _ := r.object.Lookup("data")
	switch call.Type {
	case "version":
		return call, 0
	case "xml", "text":
		s, ok := data.(string)
		if !ok {
			return nil, NURGeneral
		}
		call.Data = []string{s}
		return call, 0
	case "multixml":
		list, _ := data.([]any)
		var ok bool
		if call.Data, ok = texts(list); !ok || len(call.Data) == 0 {
			return nil, NURGeneral
		}
		return call, 0
	case "multitext":
		return call.many(data)
	case "binary":
		return call.binary(r.object, data)
	case "file":
		return call.file(r.object, data)
	}
	return nil, NURGeneral
}

func (c *NURCall) many(data any) (*NURCall, int) {
	o, ok := data.(*Object)
	if !ok || o.Len() == 0 {
		return nil, NURGeneral
	}
	for _, name := range o.Names() {
		s, ok := stringOf(o, name)
		if !ok {
			return nil, NURGeneral
		}
		c.Names, c.Data = append(c.Names, name), append(c.Data, s)
	}
	return c, 0
}

// binary takes base64 in the message, or an address when the source is remote: beside the data or in it.
func (c *NURCall) binary(top *Object, data any) (*NURCall, int) {
	if source, _ := stringOf(top, "source"); source != "remote" {
		s, ok := data.(string)
		if !ok {
			return nil, NURGeneral
		}
		c.Data = []string{s}
		return c, 0
	}
	var ok bool
	if c.URL, ok = stringOf(top, "upload_url"); ok {
		return c, 0
	}
	if o, is := data.(*Object); is {
		c.URL, ok = stringOf(o, "upload_url")
	}
	if !ok {
		return nil, NURURL
	}
	return c, 0
}

// file takes a token and an address, in the data or beside it.
func (c *NURCall) file(top *Object, data any) (*NURCall, int) {
	in, ok := data.(*Object)
	if !ok {
		in = top
	}
	if c.Token, ok = stringOf(in, "token"); !ok || c.Token == "" || len(c.Token) > 4096 {
		return nil, NURGeneral
	}
	if c.URL, ok = stringOf(in, "url_upload"); !ok {
		return nil, NURURL
	}
	return c, 0
}

// NURUploaded is the result of file: what the site calls the file it took, or its error, as it said them.
type NURUploaded struct {
	ID    json.RawMessage `json:"file_id"`
	Name  string          `json:"file_name"`
	Size  int             `json:"file_size"`
	Error json.RawMessage `json:"error"`
}

type nurReply struct {
	Result any `json:"result"`
	Code   any `json:"errorCode"`
}

// NURReply is a success of NURSign.
func NURReply(result any) []byte { return encode(nurReply{result, "NONE"}) }

// NURError is a failure of NURSign: a number.
func NURError(code int) []byte {
	return encode(struct {
		Code int `json:"errorCode"`
	}{code})
}

// NURVersion is the answer the procurement portal demands before anything else.
func NURVersion() []byte {
	return NURReply(struct {
		Version string `json:"version"`
	}{"1.0.0"})
}

// NURBinary is a success of binary: the signature, and digests of what was signed.
func NURBinary(signature, md5, sha256 string) []byte {
	return encode(struct {
		nurReply
		MD5    string `json:"md5"`
		SHA256 string `json:"sha256"`
	}{nurReply{signature, "NONE"}, md5, sha256})
}

// NURBinaryAround is what stands before and after the base64 of a signature in [NURBinary], for one that is not held in
// memory.
func NURBinaryAround(md5, sha256 string) (before, after []byte) {
	const mark = "*" // no base64
	before, after, _ = bytes.Cut(NURBinary(mark, md5, sha256), []byte(mark))
	return before, after
}

// NURItems is the result of multitext: signatures by the names of the documents, in their order.
type NURItems struct{ Names, Signatures []string }

// MarshalJSON implements json.Marshaler.
func (i NURItems) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteString(`{"items":{`)
	for k, name := range i.Names {
		if k > 0 {
			b.WriteByte(',')
		}
		for _, part := range []string{name, i.Signatures[k]} {
			b.Write(encode(part))
			b.WriteByte(':')
		}
		b.Truncate(b.Len() - 1)
	}
	b.WriteString(`}}`)
	return b.Bytes(), nil
}
