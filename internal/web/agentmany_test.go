package web_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"senim/internal/lang"
	"senim/internal/web"
)

// The calls are the agent's documented ones, byte for byte.
func TestManyCalls(t *testing.T) {
	order := web.Order{RequestID: "1-r1", Profiles: []web.Profile{{Algorithm: "GOST512", Usage: "SIGNATURE"}},
		Subject: web.Subject{CommonName: "ТЕСТОВ ТЕСТ", Surname: "ТЕСТОВ", IIN: "123456789011", Country: "KZ", Email: "t@example.kz"}}
	for _, c := range []struct {
		call web.AgentCall
		want string
	}{
		{web.ListKeys(lang.RU), `{"module":"kz.senim.keys","method":"list","args":{"locale":"ru"}}`},
		{web.GenerateMany(lang.KK, "PKCS12", []web.Order{order}), `{"module":"kz.senim.keys","method":"generateMany","args":{"locale":"kk","orders":[{"requestId":"1-r1",` +
			`"profiles":[{"algorithm":"GOST512","usage":"SIGNATURE"}],"subject":{"commonName":"ТЕСТОВ ТЕСТ","surname":"ТЕСТОВ","iin":"123456789011","country":"KZ","email":"t@example.kz"}}],"storage":"PKCS12"}}`},
		{web.SignMany(lang.EN, []web.ToSign{{ID: "1-r1", XML: "x", Serial: "1f"}}), `{"module":"kz.senim.keys","method":"signMany","args":{"documents":[{"id":"1-r1","xml":"x","serialNumber":"1f"}],"locale":"en"}}`},
		{web.InstallMany(lang.RU, []web.ToInstall{{RequestID: "1-r1", Certificates: [][]byte{{1, 2}}}}, "c"), `{"module":"kz.senim.keys","method":"installMany","args":{"challenge":"c","locale":"ru","orders":[{"certificates":["AQI="],"requestId":"1-r1"}]}}`},
	} {
		if got := c.call.JSON(); got != c.want {
			t.Errorf("%s\nwant %s", got, c.want)
		}
	}
}

func TestManyAnswers(t *testing.T) {
	got, err := web.ManyAnswers(`{"orders":[{"requestId":"1-r1","keys":[{"csr":"AQI="}]},{"requestId":"2-r1","files":[{"serialNumber":"1f"}]},{"requestId":"3-r1","error":{"code":"X","details":"no_room: text"}},` +
		`{"requestId":"4-r1","error":{"code":"X","details":""}}],"documents":[{"id":"5-r1","xml":"<a/>"}]}`)
	if err != nil || len(got) != 5 || string(got[0].Requests[0]) != "\x01\x02" || got[1].Serials[0] != "1f" || got[2].Refused != "no_room" || got[3].Refused != "internal" ||
		got[4].ID != "5-r1" || string(got[4].XML) != "<a/>" || got[4].Refused != "" {
		t.Errorf("%+v, %v", got, err)
	}
	key, file := `{"csr":"AQI="},`, `{"serialNumber":"1f"},`
	var many []string
	for i := range 101 {
		many = append(many, fmt.Sprintf(`{"id":"%d"}`, i))
	}
	for _, bad := range []string{"", "{", "[]", "{}", `{"orders":[{}]}`, `{"orders":[{"requestId":"1"},{"requestId":"1"}]}`, `{"orders":[{"requestId":"1","keys":[{"csr":"?"}]}]}`,
		`{"orders":[{"requestId":"1","keys":[` + strings.TrimSuffix(strings.Repeat(key, 5), ",") + `]}]}`,
		`{"orders":[{"requestId":"1","files":[` + strings.TrimSuffix(strings.Repeat(file, 5), ",") + `]}]}`, `{"documents":[` + strings.Join(many, ",") + `]}`} {
		if _, err := web.ManyAnswers(bad); !errors.Is(err, web.ErrAnswer) {
			t.Errorf("%.60s: %v", bad, err)
		}
	}
}

func TestListedCertificates(t *testing.T) {
	got, err := web.ListedCertificates(`{"keys":[{"keyId":"a","certificate":"AQI="},{"keyId":"b","state":"pending"}]}`)
	if err != nil || len(got) != 1 || string(got[0]) != "\x01\x02" {
		t.Errorf("%v, %v", got, err)
	}
	many, err := json.Marshal(map[string]any{"keys": make([]struct{}, 501)})
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"", "{", `{"keys":[{"certificate":"?"}]}`, string(many)} {
		if _, err := web.ListedCertificates(bad); !errors.Is(err, web.ErrAnswer) {
			t.Errorf("%.60s: %v", bad, err)
		}
	}
}
