package state

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"

	"senim/internal/registry"
)

// Tax is the public API of the tax committee (registries.md §11.4).
type Tax struct {
	// URL is the base, ending in "/public/".
	URL string
	// Token is personal: header X-Portal-Token.
	Token string
}

// PublicTax is where the tax committee's API is.
const PublicTax = "https://portal.kgd.gov.kz/services/isnaportalsync/public/"

// Taxpayer asks the tax committee whether a number is registered, as a sole proprietor when it is a
// person's, and whether it pays value-added tax. Practice, blocking and persons it does not tell.
func (s *Services) Taxpayer(ctx context.Context, p registry.Purpose, tin string) (off registry.Answer[registry.Taxpayer]) {
	if s.c.Tax == nil {
		return off
	}
	return s.tax.ask(ctx, s.asker, p, tin, func(ctx context.Context) (registry.Answer[registry.Taxpayer], error) { return s.taxpayer(ctx, tin) })
}

// organisation: the fifth digit of a BIN is 4, 5 or 6, that of a person's number the tens of a day.
func organisation(tin string) bool { return len(tin) == 12 && tin[4] >= '4' && tin[4] <= '6' }

func (s *Services) taxpayer(ctx context.Context, tin string) (a registry.Answer[registry.Taxpayer], err error) {
	v := registry.Taxpayer{TIN: tin, Type: registry.TaxIndividual}
	kind := "IP"
	if organisation(tin) {
		kind, v.Type = "UL", registry.TaxPrivateEnterprise
	}
	found, err := s.registered(ctx, tin, kind, &v)
	if err != nil {
		return a, err
	}
	a.AsOf = s.c.Now()
	if !found && kind == "UL" {
		a.Verdict, a.Code = registry.Bad, registry.TaxpayerUnknown
		return a, nil
	}
	if err := s.vat(ctx, tin, &v); err != nil {
		return a, err
	}
	a.Verdict, a.Value = registry.Good, v // a person who is no sole proprietor: that is an answer
	return a, nil
}

// registered asks taxpayer-data. Only "[]" says that there is none.
func (s *Services) registered(ctx context.Context, tin, kind string, v *registry.Taxpayer) (bool, error) {
	raw, err := s.taxCall(ctx, "taxpayer-data", url.Values{"taxpayerCode": {tin}, "taxpayerType": {kind}, "print": {"false"}})
	if err != nil {
		return false, err
	}
	var said struct {
		Rows *[]struct {
			Code, Name, TaxpayerType, MessageResult, BeginDate string
			EndDate                                            *string
		} `json:"taxpayerPortalSearchResponses"`
		Error *struct{} `json:"errorResponse"`
	}
	if err := readJSON(raw, &said); err != nil || said.Error == nil && said.Rows == nil {
		return false, fail(Unreadable, "the tax committee's answer is not of its shape")
	}
	if said.Error != nil {
		return false, fail(Failed, "the tax committee says that it failed")
	}
	rows := *said.Rows
	switch {
	case len(rows) == 0:
		return false, nil
	case len(rows) > 1 || rows[0].MessageResult != "SUCCESS" || rows[0].TaxpayerType != kind:
		return false, fail(Unreadable, "the tax committee's answer is not one row of success")
	case rows[0].Code != tin:
		return false, alarm(OtherNumber, "the answer is about another taxpayer than was asked")
	}
	var r record
	begins, ends := r.day(rows[0].BeginDate), r.day(deref(rows[0].EndDate))
	if r.bad || begins == "" {
		return false, fail(Unreadable, "the taxpayer's dates are none")
	}
	v.NameRU = rows[0].Name
	if kind == "IP" {
		v.Type, v.IPFrom, v.IPTo = registry.TaxEntrepreneur, begins, ends
		return true, nil
	}
	return ends == "", nil // one that was taken off the register is registered no more
}

// vat asks search-payer-data. An empty body says: no payer. It is the one place where nothing is an answer.
func (s *Services) vat(ctx context.Context, tin string, v *registry.Taxpayer) error {
	raw, err := s.taxCall(ctx, "search-payer-data", url.Values{"taxpayerCode": {tin}})
	if err != nil || len(bytes.TrimSpace(raw)) == 0 {
		return err
	}
	var said struct {
		IINBIN string  `json:"iinBin"`
		From   string  `json:"ndsRegistrationDate"`
		To     *string `json:"ndsDeregistrationDate"`
	}
	if err := readJSON(raw, &said); err != nil {
		return fail(Unreadable, "the tax committee's answer is not of its shape")
	}
	if said.IINBIN != tin {
		return alarm(OtherNumber, "the answer is about another taxpayer than was asked")
	}
	var r record
	if v.VATFrom, v.VATTo = r.day(said.From), r.day(deref(said.To)); r.bad || v.VATFrom == "" {
		return fail(Unreadable, "the taxpayer's dates are none")
	}
	return nil
}

func (s *Services) taxCall(ctx context.Context, call string, q url.Values) ([]byte, error) {
	status, raw, err := s.exchange(ctx, request{method: http.MethodGet, address: strings.TrimSuffix(s.c.Tax.URL, "/") + "/" + call + "?" + q.Encode(),
		header: http.Header{"X-Portal-Token": {s.c.Tax.Token}, "Accept": {"application/json"}}})
	if err != nil {
		return nil, err
	}
	return raw, refusal(status)
}

// readJSON reads one document and nothing after it.
func readJSON(raw []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	if err := d.Decode(into); err != nil {
		return errors.New("no JSON of the shape")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more than one document")
	}
	return nil
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
