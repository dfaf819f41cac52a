package agent

import (
	"senim/cms"
	"senim/dsig"
	"senim/internal/lang"
	"senim/internal/trust"
	"senim/pki"
)

// signedBefore names who signed a message already. What lies in it beside the signatures proves nothing, so a name
// stands alone only when its signature is right and its certificate of an authority known here. What was signed outside of
// the message is not here, so of such signatures none is right.
func (a *Agent) signedBefore(sd *cms.SignedData, tag lang.Tag) []string {
	verdicts, err := sd.Verify(nil)
	names := make([]string, 0, len(sd.Signers()))
	for i, s := range sd.Signers() {
		cert := certificateOf(sd, s)
		good := err == nil && i < len(verdicts) && verdicts[i].Err == nil && verdicts[i].Certificate != nil
		if good {
			cert = verdicts[i].Certificate
		}
		names = append(names, a.signerName(cert, good, tag))
	}
	return names
}

// signedXML names who signed a document already, by the same rule.
func (a *Agent) signedXML(doc *dsig.Document, tag lang.Tag) []string {
	good := map[[32]byte]bool{}
	if doc.Nodes() <= dsig.MaxNodes { // in a larger one they would take minutes
		if verified, err := doc.Verify(); err == nil { // of some kinds of signatures nothing can be told
			for _, v := range verified {
				good[v.Certificate.Fingerprint()] = true
			}
		}
	}
	var names []string
	for _, c := range doc.Signers() {
		names = append(names, a.signerName(c, good[c.Fingerprint()], tag))
	}
	if all := doc.Signatures(); all > len(names) { // those beyond the bound, and those that name nobody
		names = append(names, tag.Text("agent.signer.more", "n", all-len(names)))
	}
	return names
}

func (a *Agent) signerName(cert *pki.Certificate, good bool, tag lang.Tag) string {
	if cert == nil {
		return tag.Text("agent.signer.unnamed")
	}
	name := cert.Holder().CommonName
	if !good {
		return tag.Text("agent.signer.unchecked", "name", name)
	}
	if _, err := a.trust.pool().Chain(cert, trust.Within(cert, a.now())); err != nil {
		return tag.Text("agent.signer.stranger", "name", name, "issuer", issuerName(cert))
	}
	return name
}
