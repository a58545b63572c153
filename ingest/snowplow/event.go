package snowplow

import (
	"encoding/base64"
	"encoding/json"
	"strings"
)

// object is a JSON object.
type object = map[string]any

// tracked is one event as a tracker sends it: short names, and texts as values.
type tracked object

// text is a field as a text: a number as it is written, and "" for anything else.
func (t tracked) text(name string) string { return textOf(t[name]) }

func textOf(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	}
	return ""
}

// described is self-describing JSON.
type described struct {
	Schema string `json:"schema"`
	Data   any    `json:"data"`
}

// name is the vendor and the name of a schema, from iglu:vendor/name/format/version.
func (d *described) name() (vendor, name string) {
	vendor, rest, _ := strings.Cut(strings.TrimPrefix(d.Schema, "iglu:"), "/")
	name, _, _ = strings.Cut(rest, "/")
	return vendor, name
}

func (d *described) fields() object {
	o, _ := d.Data.(object)
	return o
}

// json reads the JSON of a field that a tracker sends plain or in Base64. It reports false if neither is readable.
func (t tracked) json(plain, encoded string, into any) bool {
	if text := t.text(plain); text != "" {
		return decode([]byte(text), into) == nil
	}
	text, err := base64.RawURLEncoding.DecodeString(strings.NewReplacer("+", "-", "/", "_", "=", "").Replace(t.text(encoded)))
	return err == nil && len(text) > 0 && decode(text, into) == nil
}

// entities are the contexts of an event.
func (t tracked) entities() []described {
	var contexts struct {
		Data []described `json:"data"`
	}
	t.json("co", "cx", &contexts)
	return contexts.Data
}

// channels are Segment's words for Snowplow's platforms. A platform without one is left out.
var channels = map[string]string{"web": "web", "mob": "mobile", "srv": "server"}

// event is the event in Segment's format.
func (t tracked) event() object {
	entities := t.entities()
	e := object{}
	put(e, "messageId", t.text("eid"))
	put(e, "userId", t.text("uid"))
	put(e, "anonymousId", first(t.text("duid"), sessionUser(entities), t.text("tnuid"), t.text("nuid")))
	put(e, "timestamp", first(t.text("ttm"), t.text("dtm")))
	put(e, "sentAt", t.text("stm"))
	put(e, "channel", channels[t.text("p")])
	if c := t.context(); len(c) > 0 {
		e["context"] = c
	}
	switch t.text("e") {
	case "pv":
		e["type"] = "page"
		put(e, "name", t.text("page"))
		t.properties(e, object{}, "url", "url", "title", "page", "referrer", "refr")
	case "pp":
		track(e, "Page Ping")
		t.properties(e, object{}, "url", "url", "title", "page", "referrer", "refr")
	case "se":
		track(e, t.text("se_ac"))
		t.properties(e, object{}, "category", "se_ca", "label", "se_la", "property", "se_pr", "value", "se_va")
	case "tr":
		track(e, "Order Completed")
		t.properties(e, object{}, "order_id", "tr_id", "affiliation", "tr_af", "total", "tr_tt", "tax", "tr_tx", "shipping", "tr_sh", "currency", "tr_cu")
	case "ti":
		track(e, "Transaction Item")
		t.properties(e, object{}, "order_id", "ti_id", "sku", "ti_sk", "name", "ti_nm", "category", "ti_ca", "price", "ti_pr", "quantity", "ti_qu", "currency", "ti_cu")
	case "ue":
		t.selfDescribing(e, entities)
	default:
		e["type"] = t.text("e") // for the decoder to reject, by name
	}
	return e
}

// selfDescribing makes the event that a self-describing one is: a screen, one of commerce, or else a track event with the
// name of its schema.
func (t tracked) selfDescribing(e object, entities []described) {
	var outer struct {
		Data described `json:"data"`
	}
	if !t.json("ue_pr", "ue_px", &outer) {
		e["type"] = "unstruct_event" // for the decoder to reject, by name
		return
	}
	vendor, name := outer.Data.name()
	fields := outer.Data.fields()
	switch {
	case name == "snowplow_ecommerce_action" && vendor == commerceVendor:
		commerce(e, fields, entities)
	case name == "screen_view":
		e["type"] = "screen"
		put(e, "name", textOf(fields["name"]))
		e["properties"] = fields
	default:
		track(e, name)
		if len(fields) > 0 {
			e["properties"] = fields
		}
	}
}

// context is where and how the event was made.
func (t tracked) context() object {
	c := object{}
	put(c, "userAgent", t.text("ua"))
	put(c, "locale", t.text("lang"))
	put(c, "timezone", t.text("tz"))
	put(c, "ip", t.text("ip"))
	page := object{}
	put(page, "url", t.text("url"))
	put(page, "title", t.text("page"))
	put(page, "referrer", t.text("refr"))
	if len(page) > 0 {
		c["page"] = page
	}
	if app := t.text("aid"); app != "" {
		c["app"] = object{"name": app}
	}
	if version := t.text("tv"); version != "" {
		c["library"] = object{"name": "snowplow", "version": version}
	}
	return c
}

// properties sets the event's properties: into, and pairs of a name and the field that has its value.
func (t tracked) properties(e, into object, pairs ...string) {
	for i := 0; i+1 < len(pairs); i += 2 {
		put(into, pairs[i], t.text(pairs[i+1]))
	}
	if len(into) > 0 {
		e["properties"] = into
	}
}

// sessionUser is the id of a device, from the context that trackers for phones add; "" without one.
func sessionUser(entities []described) string {
	for i := range entities {
		if _, name := entities[i].name(); name == "client_session" {
			return textOf(entities[i].fields()["userId"])
		}
	}
	return ""
}

func track(e object, name string) {
	e["type"] = "track"
	put(e, "event", name)
}

// put sets a member, unless the text is empty.
func put(o object, name, text string) {
	if text != "" {
		o[name] = text
	}
}

// first is the first text that is not empty.
func first(texts ...string) string {
	for _, text := range texts {
		if text != "" {
			return text
		}
	}
	return ""
}
