package ncalayer

// ModuleCMSSign signs files that stay on the person's machine.
const ModuleCMSSign = "kz.gov.pki.cms.CMSSignUtil"

// CMSSignCall is a checked call of CMSSignUtil.
type CMSSignCall struct {
	Method, Locale string
	Extension      string // getFilePath: "all" or "cms"
	Path           string
	Folder         string // where a chooser starts, or where the result is wanted
	Storage        string // signFilePath
}

// CMSSign checks a call of CMSSignUtil as [Request.Common] does.
func (r *Request) CMSSign(plugged func() []string) (call *CMSSignCall, reply []byte) {
	method, ok := stringOf(r.object, "method")
	if !ok {
		return nil, CommonError(`JSONObject["method"] not found.`, "")
	}
	call = &CMSSignCall{Method: method}
	call.Locale, _ = stringOf(r.object, "lang")
	var fields []*string
	switch method {
	case "getFilePath":
		fields = []*string{&call.Extension, &call.Folder}
	case "signFilePath":
		fields = []*string{&call.Path, &call.Folder, &call.Storage}
	case "checkCMS":
		fields = []*string{&call.Path}
	case "saveCMS":
		fields = []*string{&call.Path, &call.Folder}
	}
	v, _ := r.object.Lookup("args")
	args, _ := v.([]any)
	if fields == nil || len(args) != len(fields) {
		return nil, CommonError("NoSuchMethodException "+method, "")
	}
	for i, field := range fields {
		s, isText := args[i].(string)
		if !isText && (args[i] != nil || field != &call.Folder) { // no folder is no wish
			return nil, CommonError("java.lang.IllegalArgumentException: argument type mismatch. Method: "+method, "")
		}
		*field = s
	}
	if method == "signFilePath" {
		if message := storageFault(call.Storage, plugged); message != "" {
			return call, CommonError(message, "")
		}
	}
	return call, nil
}

// FilePath is the object of getFilePath.
type FilePath struct {
	Path   string `json:"path"`
	Name   string `json:"filename"`
	Folder string `json:"filedir"`
}

// CheckedSigner is one signature of checkCMS.
type CheckedSigner struct {
	Name  string `json:"name"`
	Valid bool   `json:"validSignature"`
}

// CMSChecked is the answer of checkCMS: its object has a name in the plural.
func CMSChecked(signers []CheckedSigner) []byte {
	return encode(struct {
		Objects []CheckedSigner `json:"responseObjects"`
		Code    string          `json:"code"`
	}{signers, "200"})
}
