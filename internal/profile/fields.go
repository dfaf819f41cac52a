package profile

import (
	"encoding/asn1"
	"errors"
	"fmt"

	"go.yaml.in/yaml/v3"

	"senim/pki"
)

// readProfile changes a profile of the base, a copy of one, or an empty one.
func readProfile(name string, n *yaml.Node, base Set) (Profile, error) {
	p, builtin := base[name]
	fail := func(field string, err error) error { return &FieldError{name, field, err} }
	if n.Kind != yaml.MappingNode {
		p.Name = name
		return p, fail("(all)", errors.New("a profile is a list of fields"))
	}
	var failed []error
	for key, value := range pairs(n) {
		if key.Value != "like" {
			continue
		}
		like, ok := base[value.Value]
		if builtin || !ok {
			failed = append(failed, fail("like", errors.New("a new profile begins as a built-in one")))
		}
		p = like
	}
	if p.Kind == "" {
		p.Kind, p.Serial, p.Email = Holder, SerialNCA, Optional
	}
	p.Name = name
	if !builtin {
		p.Title = name
	}
	good := true
	for key, value := range pairs(n) {
		if err := p.set(key.Value, value); err != nil {
			failed, good = append(failed, fail(key.Value, err)), false
		}
	}
	if good { // a field that could not be read would be named twice
		failed = append(failed, p.Check())
	}
	return p, errors.Join(failed...)
}

// set takes one field of the file.
func (p *Profile) set(field string, n *yaml.Node) (err error) {
	switch field {
	case "like":
	case "title":
		p.Title, err = scalar(n, "!!str")
	case "kind":
		p.Kind, err = word[Kind](n)
	case "serial":
		p.Serial, err = word[Serial](n)
	case "email":
		p.Email, err = word[Presence](n)
	case "registered":
		p.Registered, err = truth(n)
	case "storage":
		p.Storage, err = truth(n)
	case "identity":
		p.Identity, err = truth(n)
	case "file_days":
		p.FileDays, err = number(n)
	case "carrier_days":
		p.CarrierDays, err = number(n)
	case "subject":
		p.Subject, err = each(n, func(w string) (Part, error) { return partOf(w), nil })
	case "keys":
		p.Keys, err = each(n, keyOf)
	case "usage":
		p.Usage, err = each(n, usageOf)
	case "key_usage":
		var list []string
		if list, err = words(n); err == nil {
			p.KeyUsage, err = keyUsageOf(list)
		}
	case "policies":
		p.Policies, err = policies(n)
	default:
		err = errors.New("there is no such field")
	}
	return err
}

func policies(n *yaml.Node) (all []Policy, err error) {
	if n.Kind != yaml.SequenceNode {
		return nil, errors.New("a list is wanted")
	}
	for _, one := range n.Content {
		if one.Kind != yaml.MappingNode {
			return nil, errors.New("a policy has oid, cps and notice")
		}
		var q Policy
		for key, value := range pairs(one) {
			var failed error
			switch key.Value {
			case "oid":
				q.OID, failed = policyOf(value)
			case "cps":
				q.CPS, failed = scalar(value, "!!str")
			case "notice":
				q.Notice, failed = truth(value)
			default:
				failed = errors.New("there is no such field")
			}
			if failed != nil {
				err = errors.Join(err, fmt.Errorf("%s: %w", key.Value, failed))
			}
		}
		all = append(all, q)
	}
	return all, err
}

// policyOf reads "own", which is the issuing authority's, or a dotted OID.
func policyOf(n *yaml.Node) (asn1.ObjectIdentifier, error) {
	if n.Kind == yaml.ScalarNode && n.Value == "own" {
		return nil, nil //nolint:nilnil // nil is the authority's own
	}
	if n.Kind != yaml.ScalarNode {
		return nil, errors.New("own, or an object identifier, is wanted")
	}
	return pki.ParseOID(n.Value)
}

func scalar(n *yaml.Node, tag string) (string, error) {
	if n.Kind != yaml.ScalarNode || n.Tag != tag {
		return "", fmt.Errorf("line %d: %s is wanted", n.Line, map[string]string{"!!str": "text", "!!bool": "true or false", "!!int": "a number"}[tag])
	}
	return n.Value, nil
}

func word[T ~string](n *yaml.Node) (T, error) {
	s, err := scalar(n, "!!str")
	return T(s), err
}

func truth(n *yaml.Node) (v bool, err error) {
	if _, err = scalar(n, "!!bool"); err == nil {
		err = n.Decode(&v)
	}
	return v, err
}

func number(n *yaml.Node) (v int, err error) {
	if _, err = scalar(n, "!!int"); err == nil {
		err = n.Decode(&v)
	}
	return v, err
}

// words reads a list of texts; a dotted OID of two arcs looks like a number and is refused.
func words(n *yaml.Node) ([]string, error) {
	return each(n, func(w string) (string, error) { return w, nil })
}

func each[T any](n *yaml.Node, read func(string) (T, error)) (all []T, err error) {
	if n.Kind != yaml.SequenceNode {
		return nil, errors.New("a list is wanted")
	}
	for _, one := range n.Content {
		text, failed := scalar(one, "!!str")
		if failed == nil {
			var v T
			if v, failed = read(text); failed == nil {
				all = append(all, v)
			}
		}
		err = errors.Join(err, failed)
	}
	return all, err
}
