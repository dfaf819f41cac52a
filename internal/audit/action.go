package audit

// Class says what kind of thing an action is, as an auditor sorts them.
type Class string

// The classes.
const (
	Keys         Class = "keys"         // life of the authority's keys and certificates
	Certificates Class = "certificates" // life of the holders' certificates
	Status       Class = "status"       // lists and answers
	Requests     Class = "requests"     // applications and their decisions
	Access       Class = "access"       // who proved to be who, and who was refused
	Records      Class = "records"      // facts about people and companies that decisions rest on
	Letters      Class = "letters"      // who was told what
	System       Class = "system"       // programs, clocks, settings
)

// Action is one thing that is recorded. Records are never deleted, so every one of them outlives what
// BR 5.4.3 asks: two years after the end of the authority's key.
type Action struct {
	Name    string
	Class   Class
	Meaning string
}

// Actions is every action of the whole system, by name. A test holds it against the code: what is
// recorded stands here, and what stands here is recorded.
func Actions() []Action {
	return []Action{
		{"account.changed", Records, "a person changed the address of the account in the cabinet"},
		{"account.created", Records, "a person got an account in the cabinet and consented"},
		{"agreement.signed", Requests, "a participant signed the terms"},
		{"api.call", Access, "a program called the API, or was turned away: route, status, and the key of the request"},
		{"api.client_added", Access, "a program was admitted to the API, with its rights"},
		{"api.client_disabled", Access, "a program was shut out of the API"},
		{"api.client_rotated", Access, "a program's key or certificate for the API was replaced"},
		{"application.awaiting_desk", Requests, "an application that waits for a visit was made: for a person without keys, by himself or at the desk"},
		{"application.edited", Requests, "an application was changed; what was signed and decided before counts no more"},
		{"application.expired", Requests, "an application was not confirmed in time"},
		{"application.installed", Certificates, "the holder's agent wrote the issued certificates to the key"},
		{"application.issued", Certificates, "every certificate of an application was issued"},
		{"application.issuing", Requests, "an application was closed for changes and went to the authority"},
		{"application.offer_answered", Requests, "the holder answered the offer to revoke the replaced key"},
		{"application.rejected", Requests, "an application was refused, by rule or because its signer was revoked"},
		{"application.requests", Requests, "the requests of an application came with their proofs of possession"},
		{"application.routed", Requests, "whether somebody else must confirm an application was decided; the state says the outcome: approved, or awaiting whom"},
		{"application.saved", Requests, "a draft of an application was made"},
		{"application.signed", Requests, "the applicant signed an application"},
		{"application.withdrawn", Requests, "the applicant withdrew an application"},
		{"audit.key_made", Keys, "the key that signs the checkpoints was made"},
		{"auth.proof", Access, "somebody signed a challenge; refused: what was signed did not prove it"},
		{"ca.authority_revoked", Keys, "a root revoked an authority or a cross-certificate"},
		{"ca.ceremony_begun", Keys, "people began to carry out a plan; the object is its digest"},
		{"ca.ceremony_completed", Keys, "a plan was carried out and checked"},
		{"ca.ceremony_failed", Keys, "a plan was not carried out to its end; its transcript says what is left"},
		{"ca.closed", Certificates, "an interrupted order was given up"},
		{"ca.created", Keys, "an authority, or a certificate of its own services, was made"},
		{"ca.hold_lifted", Certificates, "two people lifted a hold"},
		{"ca.hold_made_final", Certificates, "a hold became a revocation for good"},
		{"ca.issued", Certificates, "a certificate was signed, compared and stored"},
		{"ca.list_published", Status, "a full and a delta list were signed and stored"},
		{"ca.lists_divided", Status, "the certificates of an authority were divided among several lists"},
		{"ca.profile_added", System, "a profile of certificates came into use; with a digest of the set"},
		{"ca.profile_changed", System, "a profile of certificates was changed"},
		{"ca.profile_retired", System, "a profile of certificates went out of use"},
		{"ca.profiles_set", System, "an installation began with these profiles"},
		{"ca.reason_changed", Certificates, "the reason of a revocation turned out to be a compromised key"},
		{"ca.reconciled", Certificates, "restored records were made whole from what had been published"},
		{"ca.recorded", Keys, "an authority was recorded: it works from the next start on"},
		{"ca.refused", Requests, "the authority refused an order, with the code of the rule"},
		{"ca.requested", Keys, "an authority's key was made here and its certificate asked of a root"},
		{"ca.rescued", System, "an operator had the authority's own certificates looked at and its services renewed"},
		{"ca.retired", Keys, "an authority issues no more: another follows it, or its root revoked it"},
		{"ca.returned", Certificates, "a lost certificate came back into the records from its holder"},
		{"ca.revoked", Certificates, "a certificate was revoked or put on hold"},
		{"ca.will_create", Keys, "the key of an authority or of its service will be certified"},
		{"ca.will_publish", Status, "an authority's key will sign these lists"},
		{"ca.will_sign", Certificates, "an authority's key will sign these bytes"},
		{"cert.checked", Access, "a certificate was checked at the beginning of a registration"},
		{"cert.revocation.asked", Requests, "a holder asked for a revocation, with a fresh signature"},
		{"challenge.failed", Access, "the signature under the terms was not good"},
		{"clock.checked", System, "the clock was held against the last record and the monotonic clock"},
		{"desk.act_rejected", Certificates, "what was asked about a key at the desk is not carried out"},
		{"desk.act_signed", Certificates, "an operator asked for a hold, or that one be lifted; another decides"},
		{"desk.approved", Requests, "a second operator approved an application"},
		{"desk.contact", Records, "an operator wrote down the address a person told him; it counts when the person confirms it"},
		{"desk.examined", Requests, "an operator entered a person's papers; the registries were asked"},
		{"desk.identified", Requests, "an operator signed that he identified the person"},
		{"desk.listed", Access, "an operator took a list of applications as a file"},
		{"desk.override", Requests, "a second operator approved in spite of a registry; the reason is in the signed document"},
		{"desk.refused", Access, "an act of an operator was refused, with the code of the rule"},
		{"desk.requests", Requests, "the requests for a person's keys were made on the desk's machine"},
		{"desk.revoked", Certificates, "an operator had a key revoked after he identified its holder"},
		{"details.saved", Records, "a participant changed bank details or the password, with a fresh signature"},
		{"email.change.asked", Records, "a participant asked for another address"},
		{"email.change.confirmed", Records, "the new address was confirmed from the letter"},
		{"email.change.disputed", Records, "the owner of the old address said it was not him"},
		{"email.confirmed", Records, "an address was confirmed from the letter"},
		{"head.changed", Records, "a company's profile passed to its new head"},
		{"hold.lifted", Certificates, "two operators lifted a hold"},
		{"hold.set", Certificates, "two operators put a key on hold"},
		{"log.key_made", Keys, "the key of the public log was made"},
		{"notice.failed", Letters, "a letter was refused for good"},
		{"notice.planned", Letters, "a reminder became due and was written"},
		{"notice.sent", Letters, "a letter was taken by the mail server"},
		{"notice.stopped", Letters, "a letter was not true any more and was not sent"},
		{"ocsp.answered", Status, "how many questions the responder answered since the record before"},
		{"password.reset.asked", Access, "a link to set a new password was asked for"},
		{"password.reset.done", Access, "a new password was set from the link, with a fresh signature"},
		{"profile.chosen", Access, "a participant signed in and chose for whom to act"},
		{"profile.status", Records, "a participant's right to act was opened or closed"},
		{"reg.completed", Records, "a registration was completed"},
		{"reg.data", Records, "the data of a registration were given"},
		{"reg.expired", Records, "a registration was not completed in time"},
		{"reg.mail.sent", Letters, "the link that completes a registration was sent"},
		{"reg.refused", Requests, "a registration was refused, with the code of the rule"},
		{"reg.started", Requests, "a registration began"},
		{"registry.clerk.change.confirmed", Records, "a second clerk confirmed a change of the registry"},
		{"registry.clerk.change.made", Records, "a clerk signed a change of the registry"},
		{"registry.clerk.change.refused", Records, "an act of a clerk was refused, with the code of the rule"},
		{"registry.clerk.change.rejected", Records, "a second clerk rejected a change of the registry"},
		{"registry.load.accepted", Records, "facts of a state registry were taken over"},
		{"server.crashed", System, "the server was not stopped properly before this start"},
		{"server.started", System, "the server started, with version and digest of its settings"},
		{"server.stopped", System, "the server was stopped in order"},
		{"session.closed", Access, "sessions were ended because a certificate, password or address changed"},
		{"signin.failed", Access, "a participant's sign-in was refused"},
		{"signin.locked", Access, "an account was locked after wrong passwords"},
		{"tsa.clock_checked", System, "the clock was compared with others; while it cannot be, no time-stamp is given"},
		{"tsa.serials_taken", Status, "a block of numbers for time-stamps was taken"},
	}
}
