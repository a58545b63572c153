package identifier

import (
	"testing"
)

func TestEmail(t *testing.T) {
	n := newRegistry(t, Config{}).NewNormaliser()
	const none = ""
	for _, c := range []struct{ raw, want string }{
		{"ann@example.com", "ann@example.com"},
		{"Ann@Example.COM", "ann@example.com"},
		{" ann@example.com\n", "ann@example.com"},
		{"Ann <ann@example.com>", "ann@example.com"},
		{"Ann Lee <Ann@Example.com>", "ann@example.com"},
		{"<ann@example.com>", "ann@example.com"},
		{`"Lee, Ann" <ann@example.com>`, "ann@example.com"},
		{"Ann <ann@example.com>;", "ann@example.com"},
		{"Ann <mailto:ann@example.com>", "ann@example.com"},
		{"ann@example.com <ann@example.com>", "ann@example.com"},
		{"Ann<ann@example.com >", "ann@example.com"},
		{"mailto:ann@example.com", "ann@example.com"},
		{"MAILTO:Ann@example.com?subject=Hi&cc=bob@example.com", "ann@example.com"},
		{"mailto:ann%40example.com", "ann@example.com"},
		{"mailto: ann@example.com", "ann@example.com"},
		{"ann@example.com;", "ann@example.com"},
		{"ann@example.com,", "ann@example.com"},
		{"ann@example.com; ", "ann@example.com"},
		{";ann@example.com", "ann@example.com"},
		{"ann@example.com.", "ann@example.com"},
		{"'ann@example.com'", "ann@example.com"},
		{`"ann@example.com"`, "ann@example.com"},
		{`="ann@example.com"`, "ann@example.com"},
		{"'ann@example.com", "ann@example.com"},
		{"“ann@example.com”", "ann@example.com"},
		{"«ann@example.com»", "ann@example.com"},
		{"`ann@example.com`", "ann@example.com"},
		{"mailto://ann@example.com", "ann@example.com"},
		{"ann\u00ad@exam\u00adple.com", "ann@example.com"},
		{"ann\u200b@example.com", "ann@example.com"},
		{"\u202aann@example.com\u202c", "ann@example.com"},
		{"ann@\u2060example.com", "ann@example.com"},
		{"\ufeffann@example.com", "ann@example.com"},
		{"ann@example\u200d.com", "ann@example.com"},
		{"ａｎｎ＠ｅｘａｍｐｌｅ．ｃｏｍ", "ann@example.com"},
		{"ann＠example.com", "ann@example.com"},
		{"ann@example。com", "ann@example.com"},
		{"\u00a0ann@example.com\u3000", "ann@example.com"},
		{"ann@bücher.example", "ann@xn--bcher-kva.example"},
		{"Ann@BÜCHER.example", "ann@xn--bcher-kva.example"},
		{"ann@bu\u0308cher.example", "ann@xn--bcher-kva.example"},
		{"ann@XN--BCHER-KVA.example", "ann@xn--bcher-kva.example"},
		{"ann@faß.example", "ann@xn--fa-hia.example"},
		{"用户@例子.广告", "用户@xn--fsqu00a.xn--4rr70v"},
		{"josé@example.com", "josé@example.com"},
		{"JOSE\u0301@example.com", "josé@example.com"},
		{"ann+news@example.com", "ann+news@example.com"},
		{"a.b-c_d@ex-ample.co.uk", "a.b-c_d@ex-ample.co.uk"},
		{"o'neil@example.ie", "o'neil@example.ie"},
		{"a..b.@docomo.ne.jp", "a..b.@docomo.ne.jp"},
		{"ann@mail_1.example.com", "ann@mail_1.example.com"},
		{"1@2.example", "1@2.example"},
		{"ann@example", none},
		{"ann@localhost", none},
		{"a b@c.de", none},
		{"ann @example.com", none},
		{"ann@exam ple.com", none},
		{"ann", none},
		{"@example.com", none},
		{"ann@", none},
		{"ann@@example.com", none},
		{"ann@.com", none},
		{"ann@example..com", none},
		{"ann@-example.com", none},
		{"ann@example-.com", none},
		{"ann@example.c", none},
		{"ann@127.0.0.1", none},
		{"ann@[127.0.0.1]", none},
		{"ann@example.com bob@example.com", none},
		{"ann@example.com;bob@example.com", none},
		{"ann@example.com, bob@example.com", none},
		{"Ann <ann@example.com>, Bob <bob@example.com>", none},
		{"bob@example.com <ann@example.com>", none},
		{"Ann <ann@example.com> home", none},
		{"Ann <ann@example.com", none},
		{"ann(at)example.com", none},
		{"ann@example,com", none},
		{"ann:x@example.com", none},
		{`"a b"@example.com`, none},
		{"ann%40example.com", none},
		{"ann@example.com/path", none},
		{"https://x.example/ann@example.com", none},
	} {
		id, err := identify(n, "email", c.raw)
		if c.want == none {
			if err == nil {
				t.Errorf("%q gives %q, want none", c.raw, id.Value)
			}
			continue
		}
		if err != nil || string(id.Value) != c.want {
			t.Errorf("%q gives %q, %v; want %q", c.raw, id.Value, err, c.want)
			continue
		}
		if again, err := identify(n, "email", c.want); err != nil || again.Key != id.Key || again.Raw != nil {
			t.Errorf("N1: %q gives %q, %v", c.want, again.Value, err)
		}
	}
}

// The short way for plain addresses gives what the long way gives.
func TestPlainEmail(t *testing.T) {
	for _, text := range []string{"ann@example.com", "a.b+c@x-y.co", "o'neil@a.ie", "1@2.example", "a..b.@docomo.ne.jp", "{x}@a.bc"} {
		if !isPlainEmail([]byte(text)) {
			t.Errorf("%q is no plain address", text)
		}
		if long, err := readEmail(text); err != nil || long != text {
			t.Errorf("%q read the long way gives %q, %v", text, long, err)
		}
	}
}
