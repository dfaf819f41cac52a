package ncalayer

import "strconv"

// ModuleApplet is the oldest module; a request that names no module is meant for it.
const ModuleApplet = "kz.gov.pki.knca.applet.Applet"

// AppletCall is a checked call of the Applet. Which fields are set follows from the method. The
// password that pages of its time send along has no field: it is read past.
type AppletCall struct {
	Method, UUID         string
	Storage, Path, Alias string
	Kind                 string // which keys: "ALL", "AUTH" or "SIGN"; other words are no filter
	Text                 string // what is signed, verified or digested; XML, too
	File                 string // path of a file that is signed or verified
	Signature            string // base64
	Attached             bool
	OID                  string // of a part of the subject's name,
	Index                int    // and which one of several, from 0
	Element              string // name of the element to sign
	IDAttribute, Parent  string // its attribute with the id; name of the element around the signature
	Hash                 string
	Extension, Folder    string // of a chooser
	Locale               string
}

// Codes of the Applet.
const (
	AppletNone        = "NONE"
	AppletCommon      = "COMMON"
	AppletNoKey       = "EMPTY_KEY_LIST"
	AppletNoRDN       = "RDN_NOT_FOUND"
	AppletXML         = "XML_PARSE_EXCEPTION"
	AppletSignature   = "SIGNATURE_VALIDATION_ERROR"
	AppletKeyStore    = "LOAD_KEYSTORE_ERROR"
	AppletStorage     = "UNKNOWN_STORAGE"
	AppletFile        = "FILE_READ_ERROR"
	AppletSlot        = "EMPTY_SLOT"
	AppletPassword    = "WRONG_PASSWORD"
	appletPassword    = 'p' // the argument that is read past, whatever it is
	appletAttached    = 'b'
	appletIndex       = 'n'
	appletStorageName = 'S'
	appletHint        = 'd' // where a chooser starts: may be null
)

// appletArgs gives the arguments of a method, a letter for each; the same name may take other
// numbers of them.
func appletArgs(method string) []string {
	switch method {
	case "browseKeyStore":
		return []string{"Sxd"}
	case "showFileChooser":
		return []string{"xd"}
	case "loadSlotList":
		return []string{"S"}
	case "setLocale":
		return []string{"l"}
	case "getKeys":
		return []string{"SPpk"}
	case "getNotBefore", "getNotAfter", "getSubjectDN", "getIssuerDN":
		return []string{"SPAp"}
	case "getRdnByOid":
		return []string{"SPApon"}
	case "signPlainData", "signXml":
		return []string{"SPApt"}
	case "verifyPlainData":
		return []string{"SPAptg"}
	case "createCMSSignature":
		return []string{"SPAptb"}
	case "createCMSSignatureFromFile":
		return []string{"SPApfb"}
	case "verifyCMSSignature":
		return []string{"gt"}
	case "verifyCMSSignatureFromFile":
		return []string{"gf"}
	case "signXmlByElementId":
		return []string{"SPApteir"}
	case "verifyXml":
		return []string{"t", "tir"}
	case "getHash":
		return []string{"th"}
	}
	return nil
}

// Token tells whether the call is for a token, which may not be plugged in: [AppletSlot] is the answer then.
func (c *AppletCall) Token() bool {
	_, token := Storage(c.Storage)
	return token
}

// Applet checks a call of the Applet: method, arguments, storage. Exactly one of call and reply is set;
// reply goes out without a window. A method that is not there and arguments of another kind are COMMON.
func (r *Request) Applet() (call *AppletCall, reply []byte) {
	if r.Method == "setLocale" { // has no reply at all, whatever comes with it: a page would take one for the next answer
		return r.appletLocale(), nil
	}
	common := AppletError(AppletCommon, r.UUID)
	args := []any{}
	if v, _ := r.object.Lookup("args"); v != nil {
		var ok bool
		if args, ok = v.([]any); !ok {
			return nil, common
		}
	}
	for _, kinds := range appletArgs(r.Method) {
		if len(kinds) != len(args) {
			continue
		}
		call = &AppletCall{Method: r.Method, UUID: r.UUID}
		for i := range kinds {
			if !call.take(kinds[i], args[i]) {
				return nil, common
			}
		}
		if kinds[0] == appletStorageName {
			if known, _ := Storage(call.Storage); !known {
				return nil, AppletError(AppletStorage, r.UUID)
			}
		}
		return call, nil
	}
	return nil, common
}

func (r *Request) appletLocale() *AppletCall {
	call := &AppletCall{Method: r.Method, UUID: r.UUID}
	v, _ := r.object.Lookup("args")
	if args, _ := v.([]any); len(args) == 1 {
		call.take('l', args[0])
	}
	return call
}

// take puts an argument into its field; false when its JSON type is wrong.
func (c *AppletCall) take(kind byte, arg any) bool {
	switch kind {
	case appletPassword:
		return true
	case appletAttached:
		b, ok := arg.(bool)
		c.Attached = b
		return ok
	case appletIndex:
		text, isText := arg.(string)
		if n, ok := arg.(Number); ok {
			text, isText = string(n), true
		}
		i, err := strconv.Atoi(text)
		c.Index = i
		return isText && err == nil && i >= 0
	case appletHint:
		if arg == nil {
			return true
		}
	}
	s, ok := arg.(string)
	if field := c.field(kind); ok && field != nil {
		*field = s
		return true
	}
	return false
}

func (c *AppletCall) field(kind byte) *string {
	switch kind {
	case appletStorageName:
		return &c.Storage
	case appletHint:
		return &c.Folder
	case 'P':
		return &c.Path
	case 'A':
		return &c.Alias
	case 'k':
		return &c.Kind
	case 't':
		return &c.Text
	case 'f':
		return &c.File
	case 'g':
		return &c.Signature
	case 'o':
		return &c.OID
	case 'e':
		return &c.Element
	case 'i':
		return &c.IDAttribute
	case 'r':
		return &c.Parent
	case 'h':
		return &c.Hash
	case 'x':
		return &c.Extension
	case 'l':
		return &c.Locale
	}
	return nil
}

type appletReply struct {
	Result    any    `json:"result"`
	ErrorCode string `json:"errorCode"`
	UUID      string `json:"uuid,omitempty"`
}

// AppletReply is a success of the Applet: result is a string or a bool.
func AppletReply(result any, uuid string) []byte {
	return encode(appletReply{result, AppletNone, uuid})
}

// AppletWrongPIN says that the token refused the PIN; left is how many tries it has, -1 when it does not tell.
func AppletWrongPIN(left int, uuid string) []byte {
	return encode(appletReply{left, AppletPassword, uuid})
}

// AppletError is a failure of the Applet.
func AppletError(code, uuid string) []byte { return encode(appletReply{"", code, uuid}) }
