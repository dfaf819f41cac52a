package statetest

import (
	"cmp"
	"fmt"
)

// Nobody is the register's answer about a BIN that is not registered.
const Nobody = `<ns:Response xmlns:ns="http://gbdulinfobybin_v2.egp.gbdul.tamur.kz"><Status><Code>031</Code><NameRu>БИН не зарегистрирован</NameRu></Status></ns:Response>`

// Fault is the gateway's fault.
const Fault = `<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body><soap:Fault><faultcode>soap:Server</faultcode><faultstring>x</faultstring><detail>` +
	`<t:SendMessageFault1_SendMessageFault xmlns:t="http://bip.bee.kz/SyncChannel/v10/Types"><errorCode>SCE002</errorCode><errorMessage>нет ответа</errorMessage><errorDate>2026-03-02T06:00:00+05:00</errorDate>` +
	`</t:SendMessageFault1_SendMessageFault></detail></soap:Fault></soap:Body></soap:Envelope>`

// Organisation is a record of the register of legal entities.
type Organisation struct {
	BIN, NameRU          string // «АО «ТЕСТ»» when empty
	HeadBIN              string
	Status               string // «Зарегистрирован» when empty
	Liquidated           string
	Leader               string // IIN; none when empty
	Appointed, Dismissed string
	Bridge               bool // in the shape of the newer bridge
}

// Document writes it as the register does.
func (o Organisation) Document() string {
	optional := func(name, value string) string {
		if value == "" {
			return ""
		}
		return "<" + name + ">" + value + "</" + name + ">"
	}
	leader, office := "", ""
	if o.Leader != "" {
		leader = `<OrganizationLeader><Position><PositionType><Code>1</Code><NameRu>Директор</NameRu><NameKz>Директор</NameKz></PositionType>` +
			optional("IssueDate", o.Appointed) + optional("LossDate", o.Dismissed) + `</Position><IIN>` + o.Leader + `</IIN><SurName>СКРЫТАЯ</SurName><Name>ФАМИЛИЯ</Name></OrganizationLeader>`
	}
	if o.HeadBIN != "" {
		office = `<HeaderOrganization><BIN>` + o.HeadBIN + `</BIN></HeaderOrganization>`
	}
	root, space := "ns:Response", `xmlns:ns="http://gbdulinfobybin_v2.egp.gbdul.tamur.kz"`
	if o.Bridge {
		root, space = "ns:sendMessageResponse", `xmlns:ns="http://smartbridge.b10.kz"`
	}
	return fmt.Sprintf(`<%s %s><Status><Code>001</Code><NameRu>Успешно</NameRu><NameKz>Сәтті</NameKz></Status><Organization><BIN>%s</BIN>`+
		`<RegStatus><Code>1</Code><NameRu>%s</NameRu><NameKz>Тіркелген</NameKz></RegStatus><RegistrationDate>2012-04-05</RegistrationDate>`+
		`<RegistrationLastDate>2026-02-27</RegistrationLastDate>%s<FullNameRu>%s</FullNameRu><FullNameKz>«ТЕСТ» АҚ</FullNameKz>`+
		`<OrgForm><Code>1</Code><NameRu>Акционерное общество</NameRu></OrgForm><TaxOrgStatus>0</TaxOrgStatus>%s%s<Address>г. Астана</Address></Organization></%s>`,
		root, space, o.BIN, cmp.Or(o.Status, "Зарегистрирован"), optional("LiquidationDate", o.Liquidated), cmp.Or(o.NameRU, "АО «ТЕСТ»"), leader, office, root)
}

// Person is the answer of the register of persons about one who lives.
func Person(iin, more string) string {
	return PersonSaying(iin, `<lifeStatus><code>0</code></lifeStatus>`+more)
}

// PersonSaying is the answer about one with what it says of statuses.
func PersonSaying(iin, statuses string) string {
	return `<Response><messageId>1</messageId><messageResult><code>SCSS001</code></messageResult><persons><person><iin>` + iin +
		`</iin><surname>СКРЫТАЯ</surname><name>ФАМИЛИЯ</name><birthDate>1980-01-02</birthDate><citizenship><code>398</code></citizenship>` +
		statuses + `</person></persons></Response>`
}

// NoPerson is its answer when there is none.
const NoPerson = `<Response><messageId>1</messageId><messageResult><code>SCSS001</code></messageResult></Response>`

// unconsented is its answer to a question without the person's consent.
const unconsented = `<Response><messageId>1</messageId><messageResult><code>` + NoConsent + `</code></messageResult></Response>`

// Phone is the answer of the mobile citizens base; an empty phone is none registered.
func Phone(iin, phone string) string {
	return `<Response><uin>` + iin + `</uin><phone>` + phone + `</phone></Response>`
}
