package ncalayer

import (
	"slices"
	"strings"
)

// CommonCall is a checked call of commonUtils. Which fields are set follows from the method.
type CommonCall struct {
	Method, UUID     string
	Storage, KeyType string
	Data             []string // XML texts, base64 texts, or the one locale of changeLocale
	Path             string   // of the methods …FromFile: the file the page names
	Extension        string   // of showFileChooser: "P12", "ALL", …
	Folder           string   // of showFileChooser: where to begin, a hint
	Many             bool     // Data came as an array: the answer is an array too
	Attached         bool
	TBS, Parent      string // XPaths of signXml and signXmls, "" for the whole document
}

// The kinds of arguments: text, list of texts, text or list of texts, boolean.
const (
	argText  = 's'
	argList  = 'a'
	argData  = 'd'
	argTruth = 'b'
)

// signatures of the methods of commonUtils: two methods of one name differ by number of arguments.
func signature(method string) (kinds string, known bool) {
	switch method {
	case "getActiveTokens":
		return "", true
	case "getKeyInfo", "changeLocale":
		return "s", true
	case "signXml":
		return "sssss", true
	case "signXmls":
		return "ssass", true
	case "createCAdESFromBase64", "createCMSSignatureFromBase64":
		return "ssdb", true
	case "createCAdESFromBase64Hash":
		return "ssd", true
	case "createCAdESFromFile", "createCMSSignatureFromFile":
		return "sssb", true
	case "applyCAdEST":
		return "ssd", true
	case "showFileChooser":
		return "ss", true
	}
	return "", false
}

// Common checks a call of commonUtils in NCALayer's order: method, number of arguments, their
// types, storage, empty hash. A reply goes out without a window; beside it call is set only when nothing but its storage is wrong.
// plugged gives the token storages that are here now; it is asked only where that matters. Base64, XML and paths are not looked at here.
func (r *Request) Common(plugged func() []string) (call *CommonCall, reply []byte) {
	method, ok := stringOf(r.object, "method")
	if !ok {
		return nil, CommonError(`JSONObject["method"] not found.`, "")
	}
	args := []any{}
	if v, there := r.object.Lookup("args"); there && v != nil {
		if args, ok = v.([]any); !ok {
			return nil, CommonError(`JSONObject["args"] is not a JSONArray.`, "")
		}
	}
	kinds, known := signature(method)
	if !known || len(kinds) != len(args) {
		return nil, CommonError("NoSuchMethodException "+method, "")
	}
	call = &CommonCall{Method: method, UUID: r.UUID}
	for i := range kinds {
		if !call.take(i, rune(kinds[i]), args[i]) {
			return nil, CommonError("java.lang.IllegalArgumentException: argument type mismatch. Method: "+method, "")
		}
	}
	switch method {
	case "changeLocale", "getActiveTokens", "showFileChooser":
		return call, nil
	}
	if message := storageFault(call.Storage, plugged); message != "" {
		return call, CommonError(message, "")
	}
	if method == "createCAdESFromBase64Hash" {
		for _, hash := range call.Data {
			if hash == "" {
				return nil, CommonError("", "")
			}
		}
	}
	return call, nil
}

// take puts argument i into its field; false when its JSON type is wrong.
func (c *CommonCall) take(i int, kind rune, arg any) bool {
	switch kind {
	case argTruth:
		b, ok := arg.(bool)
		c.Attached = b
		return ok
	case argList, argData:
		if list, ok := arg.([]any); ok {
			c.Many = true
			c.Data, ok = texts(list)
			return ok && (len(c.Data) > 0 || kind == argList)
		}
		if kind == argList {
			return false
		}
	}
	s, ok := arg.(string)
	if !ok {
		return false
	}
	switch {
	case c.Method == "changeLocale":
		c.Data = []string{s}
	case c.Method == "showFileChooser" && i == 0:
		c.Extension = s
	case c.Method == "showFileChooser":
		c.Folder = s
	case i == 2 && kind == argText && strings.HasSuffix(c.Method, "FromFile"):
		c.Path = s
	case i == 2:
		c.Data = []string{s}
	case i == 0:
		c.Storage = s
	case i == 1:
		c.KeyType = s
	case i == 3:
		c.TBS = s
	case i == 4:
		c.Parent = s
	}
	return true
}

func texts(list []any) ([]string, bool) {
	out := make([]string, 0, len(list))
	for _, v := range list {
		s, ok := v.(string)
		if !ok {
			return nil, false
		}
		out = append(out, s)
	}
	return out, true
}

// storageFault is the message for a storage that cannot be used; "" for key files and plugged tokens.
func storageFault(name string, plugged func() []string) string {
	known, token := Storage(name)
	switch {
	case name == "":
		return "storageName.param.empty"
	case !known:
		return "storage.unknown"
	case token && !slices.Contains(plugged(), name):
		return "storage.empty"
	}
	return ""
}
