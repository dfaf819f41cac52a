package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"senim/cades"
	"senim/cms"
	"senim/internal/trust"
	"senim/ocsp"
	"senim/pki"
)

// checkTime is made of signatures that have time-stamps.
const checkTime = "time"

// unproved is the verdict of a time that no trusted time-stamp proves. It decides nothing: the
// certificate is judged as of --at then, and the checks that follow say how that went.
const unproved trust.Verdict = "unproved"

// proof is what stands beside a signature and what it proves.
type proof struct {
	Level       string   `json:"level,omitempty"`       // CMS, CAdES-BES, CAdES-T, CAdES-LT, CAdES-LTA
	SigningTime string   `json:"signingTime,omitempty"` // what the signer says
	ProvedTime  string   `json:"provedTime,omitempty"`  // what a time-stamp proves
	JudgedAt    string   `json:"judgedAt,omitempty"`    // of the certificate
	Timestamps  []stamps `json:"timestamps,omitempty"`
	Warnings    []string `json:"warnings,omitempty"`
}

// stamps are the facts about one time-stamp.
type stamps struct {
	Archive   bool          `json:"archive,omitempty"`
	Time      string        `json:"time,omitempty"`
	Authority string        `json:"authority,omitempty"`
	Verdict   trust.Verdict `json:"verdict"`
	Error     string        `json:"error,omitempty"`
	LeavesOut int           `json:"leavesOut,omitempty"` // of an archive time-stamp
}

func (f *proof) print(p *program) {
	if f.Level != "" {
		p.line("  %-11s %s, judged as of %s", "level", f.Level, f.JudgedAt)
	}
	for _, w := range f.Warnings {
		p.line("  %-11s %s", "warning", w)
	}
}

func (c *verify) checkCMS(ctx context.Context, p *program, t *trusted, sd *cms.SignedData) ([]subject, error) {
	if sd.Detached() && c.Content == "" {
		return nil, &hinted{fmt.Errorf("verify %s: %w", c.File, cms.ErrDetached), "--content FILE, with the document that was signed"}
	}
	by, err := c.by(p, t)
	if err != nil {
		return nil, err
	}
	var d cades.Document
	if c.Content != "" {
		content, err := p.stream(ctx, c.Content)
		if err != nil {
			return nil, err
		}
		defer content.Close()
		d.Reader = content
	}
	r, err := cades.Validate(sd, d, by)
	if unreadable(err) {
		return nil, said("verify "+c.File, err)
	}
	if err != nil {
		return []subject{{Checks: append(trust.Report{bad(err)}, unmade()...)}}, nil
	}
	var out []subject
	for _, s := range r.Signers {
		judged, err := c.outsideCMS(p, by, sd, &s)
		if err != nil {
			return nil, err
		}
		one, err := t.signatory(ctx, cmsSignature(sd, s.Signature), judged, brought(sd, by))
		if err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	return out, nil
}

// outsideCMS judges a signature with the time-stamps kept beside its file too; without any it is as it was.
func (c *verify) outsideCMS(p *program, by cades.Trust, sd *cms.SignedData, s *cades.Signer) (*cades.Signer, error) {
	if len(c.Timestamp) == 0 || s.Signature.Err != nil {
		return s, nil
	}
	tokens, renewed, err := c.outside(p)
	if err != nil {
		return nil, err
	}
	for _, inside := range s.Timestamps {
		if inside.Archive {
			return nil, &hinted{errors.New("--timestamp does not go with a CMS that has archive time-stamps"), "those inside prove more"}
		}
		if inside.Token != nil {
			tokens = append(tokens, inside.Token)
		}
	}
	by.Pool = by.Pool.With(authorities(sd)...)
	judged, err := cades.Judge(s.Certificate, s.Claimed, tokens, by, renewed...)
	if err != nil {
		return nil, err
	}
	judged.Signature, judged.Level = s.Signature, s.Level
	for _, w := range s.Warnings {
		if !slices.Contains(judged.Warnings, w) {
			judged.Warnings = append(judged.Warnings, w)
		}
	}
	return judged, nil
}

// by is what signatures with time-stamps are judged by.
func (c *verify) by(p *program, t *trusted) (by cades.Trust, err error) {
	by = cades.Trust{Pool: t.Pool, At: t.at, Lists: t.lists, NoRevocation: t.skip}
	by.Answers, err = c.answers(p)
	return by, err
}

func (c *verify) answers(p *program) ([]*ocsp.Response, error) {
	var out []*ocsp.Response
	for _, name := range c.OCSP {
		data, err := p.read(name)
		if err != nil {
			return nil, err
		}
		r, err := ocsp.ParseResponse(data)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		out = append(out, r)
	}
	return out, nil
}

// beside is what a signature has for the judge besides the lists given: authorities that came with it, and
// whether there is revocation data.
type beside struct {
	authorities []*pki.Certificate
	evidence    bool
}

func brought(sd *cms.SignedData, by cades.Trust) beside {
	return beside{authorities(sd), len(sd.RawRevocation())+len(by.Answers) > 0}
}

// signatory puts the answer about one signature into checks, after the one of the signature itself.
func (t *trusted) signatory(ctx context.Context, signature trust.Check, s *cades.Signer, b beside) (subject, error) {
	if s.Signature.Err != nil {
		return t.signer(ctx, signature, s.Certificate)
	}
	out := subject{Signer: newCard(s.Certificate), Checks: trust.Report{signature}, proof: proofOf(s)}
	if len(s.Timestamps) > 0 {
		out.Checks = append(out.Checks, provedTime(s))
	}
	judge, err := trust.New(trust.Config{Pool: t.Pool.With(b.authorities...), Revocation: told{t, s}, Now: func() time.Time { return s.JudgedAt }})
	if err != nil {
		return out, err
	}
	checks := judge.Certificate(ctx, s.Certificate, trust.Signing)
	why := why(checks)
	checks = t.adjust(checks)
	reconcile(checks, s)
	if b.evidence { // then it is not for want of a list
		for i := range checks {
			if checks[i].Name == trust.CheckRevocation && checks[i].Verdict == trust.Unknown {
				checks[i].Evidence["error"] = why
			}
		}
	}
	out.Checks = append(out.Checks, checks...)
	return out, nil
}

func why(r trust.Report) string {
	c, _ := r.Find(trust.CheckRevocation)
	return c.Evidence["error"]
}

// reconcile turns what is wrong as of now into what cannot be told, when a time-stamp that could not be
// judged may prove an earlier time; and says when an authority that only the message brought is not
// proved.
func reconcile(checks trust.Report, s *cades.Signer) {
	for i := range checks {
		c := &checks[i]
		dated := c.Name == trust.CheckValidity || c.Name == trust.CheckRevocation
		if s.Outcome == cades.CannotSay && dated && c.Verdict == trust.Bad {
			c.Verdict, c.Evidence["error"] = trust.Unknown, s.Err.Error()
		}
		if s.Outcome != cades.Valid && c.Name == trust.CheckRevocation && c.Verdict == trust.Good && checks.Verdict() == trust.Good {
			c.Verdict, c.Code, c.Evidence["error"] = trust.Unknown, trust.CodeUnavailable, s.Err.Error()
		}
	}
}

// authorities are those the message brings along.
func authorities(sd *cms.SignedData) []*pki.Certificate {
	return slices.DeleteFunc(slices.Clone(sd.Certificates()), func(c *pki.Certificate) bool { return !c.IsCA })
}

func proofOf(s *cades.Signer) proof {
	f := proof{Level: s.Level.String(), JudgedAt: stamp(s.JudgedAt), Warnings: s.Warnings}
	if !s.Claimed.IsZero() {
		f.SigningTime = stamp(s.Claimed)
	}
	if !s.Proved.IsZero() {
		f.ProvedTime = stamp(s.Proved)
	}
	for _, t := range s.Timestamps {
		facts := stamps{Archive: t.Archive, Verdict: verdictOf(t.Outcome), LeavesOut: t.LeavesOut}
		if t.Err != nil {
			facts.Error = t.Err.Error()
		}
		if t.Token != nil {
			facts.Time, facts.Authority = stamp(t.Token.Time), maker(&t)
		}
		f.Timestamps = append(f.Timestamps, facts)
	}
	return f
}

func verdictOf(o cades.Outcome) trust.Verdict {
	switch o {
	case cades.Valid:
		return trust.Good
	case cades.Invalid:
		return trust.Bad
	case cades.CannotSay:
	}
	return trust.Unknown
}

// maker is the name of whoever made a token, as the certificate says; "" when it is not known.
func maker(t *cades.Timestamp) string {
	if t.Authority == nil {
		return ""
	}
	return t.Authority.Subject.Get(pki.OIDCommonName)
}

// provedTime is the check of the time-stamps: the earliest of the good ones decides. Its clock may be a little ahead
// of the moment of judging.
func provedTime(s *cades.Signer) trust.Check {
	var first *cades.Timestamp
	for i := range s.Timestamps {
		if t := &s.Timestamps[i]; t.Outcome == cades.Valid && (first == nil || t.Token.Time.Before(first.Token.Time)) {
			first = t
		}
	}
	if first == nil {
		return trust.Check{Name: checkTime, Verdict: unproved, Code: codeUnproved, Evidence: map[string]string{
			"error": "no time-stamp that is trusted proves when it was signed",
		}}
	}
	return trust.Check{Name: checkTime, Verdict: trust.Good, Evidence: map[string]string{"proved": stamp(s.Proved), "authority": maker(first)}}
}

// told answers the judge with what package cades found.
type told struct {
	t *trusted
	s *cades.Signer
}

// Status implements trust.Revocation.
func (o told) Status(_ context.Context, cert, _ *pki.Certificate, at time.Time) trust.Status {
	for _, st := range o.s.Judgement.Status {
		if string(st.Certificate.Raw) != string(cert.Raw) {
			continue
		}
		out := trust.Status{State: trust.StateGood, Evidence: map[string]string{"thisUpdate": stamp(st.Made)}}
		switch {
		case st.List != nil:
			out.Source, out.Evidence["list"] = "crl", o.name(&st)
		case st.Answer != nil:
			out.Source, out.Evidence["answer"] = "ocsp", o.name(&st)
		default:
			return trust.Status{State: trust.StateUnknown, Err: "no list or answer at hand tells how it stood at " + stamp(at)}
		}
		if !st.Next.IsZero() {
			out.Evidence["nextUpdate"] = stamp(st.Next)
		}
		if st.Revoked != nil && st.Outcome == cades.Valid {
			out.Evidence["revokedLater"] = stamp(st.Revoked.RevokedAt)
		}
		if st.Outcome == cades.Invalid {
			out.State, out.RevokedAt, out.Reason = trust.StateRevoked, st.Revoked.RevokedAt, -1
			if st.Revoked.HasReason {
				out.Reason = int(st.Revoked.Reason)
			}
		}
		return out
	}
	return trust.Status{State: trust.StateUnknown, Err: "not asked: the path is not trusted"}
}

// name is what people call the evidence; adjust puts the caller's name of a list in place of the copy's.
func (o told) name(st *cades.Status) string {
	switch {
	case st.Inside && st.List != nil:
		return "the list inside the message"
	case st.Inside:
		return "the OCSP answer inside the message"
	case st.List != nil:
		return copyName(slices.Index(o.t.lists, st.List) + 1)
	}
	return "the OCSP answer given"
}

// cmsSignature is the check of one signature of a CMS message.
func cmsSignature(sd *cms.SignedData, v cms.Verified) trust.Check {
	check := trust.Check{Name: "signature", Verdict: trust.Good, Evidence: map[string]string{"hash": v.Hash.String()}}
	if v.Err != nil {
		check = bad(v.Err)
	}
	if errors.Is(v.Err, cms.ErrNoCertificate) { // nobody knows yet whether it is wrong
		check.Verdict, check.Code = trust.Unknown, trust.CodeUnavailable
	}
	if v.Certificate != nil {
		check.Evidence["key"] = v.Certificate.Key.String()
	}
	if !v.SigningTime.IsZero() {
		check.Evidence["signingTime"] = stamp(v.SigningTime)
	}
	check.Evidence["covers"] = "the content inside the message"
	if sd.Detached() {
		check.Evidence["covers"] = "the content given"
	}
	if !v.HasSignedAttributes {
		check.Evidence["signedAttributes"] = "none: sign-in and the portal refuse such a message"
	}
	return check
}
