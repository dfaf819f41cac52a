package ncalayer

// MaxMany bounds the orders, documents or sets of certificates of one call.
const MaxMany = 100

// GenerateManyCall is a checked call of kz.senim.keys generateMany: one consent for many orders.
type GenerateManyCall struct {
	Folder string         // a hint, "" for none
	Orders []GenerateCall // each with its own storage, or that of the call
	Locale string
}

// ManyDocument is one XML document of signMany, with the certificate that is to sign it.
type ManyDocument struct{ ID, XML, Serial string }

// SignManyCall is a checked call of kz.senim.keys signMany.
type SignManyCall struct {
	Documents []ManyDocument
	Locale    string
}

// InstallManyCall is a checked call of kz.senim.keys installMany.
type InstallManyCall struct {
	Orders    []InstallCall
	Challenge string // of all of them
	Locale    string
}

// ManyError says why one part of a call for many was not done, as [Refusal] does for a whole call.
type ManyError struct {
	Code    string `json:"code"`
	Details string `json:"details"`
}

// Part is the error of a refusal for one part of a call.
func (r *Refusal) Part() *ManyError { return &ManyError{r.Code, r.Details} }

// GeneratedOne is one part of the answer of generateMany: what was made, or why not.
type GeneratedOne struct {
	RequestID string         `json:"requestId"`
	Keys      []GeneratedKey `json:"keys,omitempty"`
	Error     *ManyError     `json:"error,omitempty"`
}

// SignedOne is one document of signMany.
type SignedOne struct {
	ID    string     `json:"id"`
	XML   string     `json:"xml,omitempty"`
	Error *ManyError `json:"error,omitempty"`
}

// InstalledOne is one set of certificates of installMany.
type InstalledOne struct {
	RequestID string          `json:"requestId"`
	Files     []InstalledFile `json:"files,omitempty"`
	Error     *ManyError      `json:"error,omitempty"`
}

// GeneratedMany is the result of generateMany, in the order asked; the two below are those of its sisters.
type GeneratedMany struct {
	Orders []GeneratedOne `json:"orders"`
}

// SignedMany is the result of signMany.
type SignedMany struct {
	Documents []SignedOne `json:"documents"`
}

// InstalledMany is the result of installMany.
type InstalledMany struct {
	Orders []InstalledOne `json:"orders"`
}

// GenerateMany checks a call of generateMany. Every order is checked as generate's; one that is wrong
// refuses the call, for nothing was made yet.
func (r *Request) GenerateMany() (*GenerateManyCall, *Refusal) {
	m, refusal := r.keyArgs()
	if refusal != nil {
		return nil, refusal
	}
	c := &GenerateManyCall{Folder: m.text("folder", false), Locale: m.locale()}
	storage := m.text("storage", true)
	parts := m.objects("orders")
	if refusal := m.refusal(); refusal != nil {
		return nil, refusal
	}
	seen := map[string]bool{}
	for _, part := range parts {
		one := GenerateCall{RequestID: part.text("requestId", true), Profiles: part.profiles(), Storage: part.text("storage", false)}
		if one.Storage == "" {
			one.Storage = storage
		}
		s := part.object("subject")
		if refusal := part.refusal(); refusal != nil {
			return nil, refusal
		}
		one.Subject = s.subject()
		if refusal := s.refusal(); refusal != nil {
			return nil, refusal
		}
		if _, token := Storage(one.Storage); one.Storage != PKCS12 && !token {
			return nil, generating("storage_unavailable", "keys are made in PKCS12 files and on tokens")
		}
		if refusal := one.check(); refusal != nil {
			return nil, refusal
		}
		if seen[one.RequestID] {
			return nil, generating("invalid_request_id", "the same number twice")
		}
		seen[one.RequestID] = true
		c.Orders = append(c.Orders, one)
	}
	return c, nil
}

// SignMany checks a call of signMany. Whether a document parses is not checked here.
func (r *Request) SignMany() (*SignManyCall, *Refusal) {
	m, refusal := r.keyArgs()
	if refusal != nil {
		return nil, refusal
	}
	c := &SignManyCall{Locale: m.locale()}
	parts := m.objects("documents")
	if refusal := m.refusal(); refusal != nil {
		return nil, refusal
	}
	seen := map[string]bool{}
	for _, part := range parts {
		d := ManyDocument{ID: part.text("id", true), XML: part.text("xml", true), Serial: part.text("serialNumber", true)}
		if refusal := part.refusal(); refusal != nil {
			return nil, refusal
		}
		switch {
		case !requestID.MatchString(d.ID) || seen[d.ID]:
			return nil, &Refusal{CodeParams, "invalid_request_id: every document has a number of its own, 1 to 64 of A-Z a-z 0-9 . _ -"}
		case !serialNumber.MatchString(d.Serial):
			return nil, &Refusal{CodeParams, "invalid_serial: a serial number is lower-case hexadecimal"}
		}
		seen[d.ID] = true
		c.Documents = append(c.Documents, d)
	}
	return c, nil
}

// InstallMany checks a call of installMany.
func (r *Request) InstallMany() (*InstallManyCall, *Refusal) {
	m, refusal := r.keyArgs()
	if refusal != nil {
		return nil, refusal
	}
	c := &InstallManyCall{Challenge: m.text("challenge", false), Locale: m.locale()}
	parts := m.objects("orders")
	if refusal := m.refusal(); refusal != nil {
		return nil, refusal
	}
	seen := map[string]bool{}
	for _, part := range parts {
		one := InstallCall{RequestID: part.text("requestId", true)}
		list := part.list("certificates", true)
		if refusal := part.refusal(); refusal != nil {
			return nil, refusal
		}
		if !requestID.MatchString(one.RequestID) || seen[one.RequestID] {
			return nil, &Refusal{CodeNotImportable, "invalid_request_id: every set of certificates has a number of its own"}
		}
		seen[one.RequestID] = true
		if refusal := one.take(list); refusal != nil {
			return nil, refusal
		}
		c.Orders = append(c.Orders, one)
	}
	return c, nil
}

// objects reads an array of 1 to [MaxMany] objects.
func (m *members) objects(name string) []*members {
	v := m.value(name, true)
	list, ok := v.([]any)
	if v == nil {
		return nil
	}
	if !ok || len(list) == 0 || len(list) > MaxMany {
		m.wrong(name, "JSONArray of 1 to 100 objects")
		return nil
	}
	out := make([]*members, len(list))
	for i, item := range list {
		o, ok := item.(*Object)
		if !ok {
			m.wrong(name, "JSONArray of objects")
			return nil
		}
		out[i] = &members{o: o}
	}
	return out
}
