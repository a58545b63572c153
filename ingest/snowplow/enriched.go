package snowplow

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// EnrichedHeader is the name of the first column of enriched events: a table whose first cell is that has a header.
const EnrichedHeader = "app_id"

// enrichedColumns are the columns of an enriched event, in their order: the canonical event model, as Snowplow's analytics
// SDKs have it. Columns were only ever added at the end, the last of them in 2016.
var enrichedColumns = strings.Fields(`
	app_id platform etl_tstamp collector_tstamp dvce_created_tstamp event event_id txn_id name_tracker v_tracker
	v_collector v_etl user_id user_ipaddress user_fingerprint domain_userid domain_sessionidx network_userid
	geo_country geo_region geo_city geo_zipcode geo_latitude geo_longitude geo_region_name ip_isp ip_organization
	ip_domain ip_netspeed page_url page_title page_referrer page_urlscheme page_urlhost page_urlport page_urlpath
	page_urlquery page_urlfragment refr_urlscheme refr_urlhost refr_urlport refr_urlpath refr_urlquery
	refr_urlfragment refr_medium refr_source refr_term mkt_medium mkt_source mkt_term mkt_content mkt_campaign
	contexts se_category se_action se_label se_property se_value unstruct_event tr_orderid tr_affiliation
	tr_total tr_tax tr_shipping tr_city tr_state tr_country ti_orderid ti_sku ti_name ti_category ti_price
	ti_quantity pp_xoffset_min pp_xoffset_max pp_yoffset_min pp_yoffset_max useragent br_name br_family
	br_version br_type br_renderengine br_lang br_features_pdf br_features_flash br_features_java
	br_features_director br_features_quicktime br_features_realplayer br_features_windowsmedia br_features_gears
	br_features_silverlight br_cookies br_colordepth br_viewwidth br_viewheight os_name os_family os_manufacturer
	os_timezone dvce_type dvce_ismobile dvce_screenwidth dvce_screenheight doc_charset doc_width doc_height
	tr_currency tr_total_base tr_tax_base tr_shipping_base ti_currency ti_price_base base_currency geo_timezone
	mkt_clickid mkt_network etl_tags dvce_sent_tstamp refr_domain_userid refr_device_tstamp derived_contexts
	domain_sessionid derived_tstamp event_vendor event_name event_format event_version event_fingerprint
	true_tstamp`)

// numberColumns are those that the SDKs write as numbers.
var numberColumns = strings.Fields(`
	txn_id domain_sessionidx geo_latitude geo_longitude page_urlport refr_urlport tr_total tr_tax tr_shipping ti_price
	ti_quantity pp_xoffset_min pp_xoffset_max pp_yoffset_min pp_yoffset_max br_viewwidth br_viewheight dvce_screenwidth
	dvce_screenheight doc_width doc_height tr_total_base tr_tax_base tr_shipping_base ti_price_base
`)

// cell is how a column of an enriched event is written as JSON.
type cell uint8

const (
	cellText cell = iota
	cellNumber
	cellFlag     // 0 or 1
	cellTime     // 2026-01-31 09:30:00.000, in UTC
	cellEntities // self-describing JSON with a list
	cellEvent    // self-describing JSON with one event
)

// enrichedCells are the cells of enrichedColumns.
var enrichedCells = func() []cell {
	cells := make([]cell, len(enrichedColumns))
	for i, name := range enrichedColumns {
		switch {
		case slices.Contains(numberColumns, name):
			cells[i] = cellNumber
		case strings.HasPrefix(name, "br_features_"), name == "br_cookies", name == "dvce_ismobile":
			cells[i] = cellFlag
		case strings.HasSuffix(name, "_tstamp"):
			cells[i] = cellTime
		case strings.HasSuffix(name, "contexts"):
			cells[i] = cellEntities
		case name == "unstruct_event":
			cells[i] = cellEvent
		}
	}
	return cells
}()

// AppendEnriched appends an enriched event, a line of 131 cells with tabs between, as the JSON that Snowplow's analytics SDKs
// make of it: columns by name, empty ones left out, and self-describing JSON under the name of its schema.
//
// A cell of another form than its column has is kept as a text: the reader of a field decides what follows. Only a line that is no enriched
// event fails: one with another number of cells, or with contexts or an event that are not self-describing JSON. No error
// quotes the line.
func AppendEnriched(dst, line []byte) ([]byte, error) {
	if n := bytes.Count(line, []byte{'\t'}) + 1; n != len(enrichedColumns) {
		return dst, fmt.Errorf("want the %d cells of an enriched event, with tabs between, got %d", len(enrichedColumns), n)
	}
	e := enriched{out: append(dst, '{'), start: len(dst)}
	for i, name := range enrichedColumns {
		text, rest, _ := bytes.Cut(line, []byte{'\t'})
		if line = rest; len(text) == 0 {
			continue
		}
		if err := e.add(name, enrichedCells[i], text); err != nil {
			return dst, fmt.Errorf("%s: %w", name, err)
		}
	}
	for i := range e.entities { // those of both columns together
		e.member(e.entities[i].name, append(append([]byte{'['}, e.entities[i].list...), ']'))
	}
	return append(e.out, '}'), nil
}

// enriched is an event under construction.
type enriched struct {
	out      []byte
	start    int // of the object in out
	entities []entityList
}

// entityList is what the entities of one schema say, as JSON with commas between.
type entityList struct {
	name string
	list []byte
}

func (e *enriched) member(name string, value []byte) {
	if len(e.out) > e.start+1 {
		e.out = append(e.out, ',')
	}
	e.out = append(appendText(e.out, name), ':')
	e.out = append(e.out, value...)
}

func (e *enriched) add(name string, c cell, text []byte) error {
	switch {
	case c == cellEntities:
		return e.addEntities(text)
	case c == cellEvent:
		return e.addEvent(text)
	case c == cellNumber && isNumber(text):
		e.member(name, text)
	case c == cellFlag && string(text) == "1":
		e.member(name, []byte("true"))
	case c == cellFlag && string(text) == "0":
		e.member(name, []byte("false"))
	case c == cellTime && len(text) > len("2026-01-31") && text[len("2026-01-31")] == ' ':
		e.member(name, appendText(nil, strings.Replace(string(text), " ", "T", 1)+"Z"))
	default:
		e.member(name, appendText(nil, string(text)))
	}
	return nil
}

// isNumber reports whether a text is a number of JSON. A leading zero makes it a text.
func isNumber(text []byte) bool {
	return (text[0] == '-' || '0' <= text[0] && text[0] <= '9') && json.Valid(text)
}

// selfDescribing is JSON that names its schema.
type selfDescribing struct {
	Schema string          `json:"schema"`
	Data   json.RawMessage `json:"data"`
}

var errNoData = errors.New("want self-describing JSON, with schema and data")

func (e *enriched) addEvent(text []byte) error {
	var outer struct {
		Data selfDescribing `json:"data"`
	}
	if json.Unmarshal(text, &outer) != nil || len(outer.Data.Data) == 0 {
		return errNoData
	}
	name, err := schemaName("unstruct_event", outer.Data.Schema)
	if err == nil {
		e.member(name, outer.Data.Data)
	}
	return err
}

func (e *enriched) addEntities(text []byte) error {
	var outer struct {
		Data []selfDescribing `json:"data"`
	}
	if json.Unmarshal(text, &outer) != nil {
		return errNoData
	}
	for _, entity := range outer.Data {
		name, err := schemaName("contexts", entity.Schema)
		if err != nil {
			return err
		}
		if len(entity.Data) == 0 {
			return errNoData
		}
		i := slices.IndexFunc(e.entities, func(l entityList) bool { return l.name == name })
		if i < 0 {
			i = len(e.entities)
			e.entities = append(e.entities, entityList{name: name})
		}
		if l := &e.entities[i]; len(l.list) > 0 {
			l.list = append(append(l.list, ','), entity.Data...)
		} else {
			l.list = append(l.list, entity.Data...)
		}
	}
	return nil
}

// schemaForm is the form of an Iglu schema: vendor, name, format, and a version whose first number is the model.
var schemaForm = regexp.MustCompile(`^iglu:([a-zA-Z0-9_.-]+)/([a-zA-Z0-9_-]+)/[a-zA-Z0-9_-]+/([1-9][0-9]*)-[0-9]+-[0-9]+$`)

// newWord is where a name in camel case has its next word.
var newWord = regexp.MustCompile(`([^A-Z_])([A-Z])`)

// schemaName is the name that the SDKs give to data of a schema: contexts_com_acme_blog_post_1 for
// iglu:com.acme/blogPost/jsonschema/1-0-2.
func schemaName(prefix, schema string) (string, error) {
	parts := schemaForm.FindStringSubmatch(schema)
	if parts == nil {
		return "", errors.New("want a schema such as iglu:com.acme/blog_post/jsonschema/1-0-0")
	}
	vendor, name := strings.ReplaceAll(parts[1], ".", "_"), newWord.ReplaceAllString(parts[2], "${1}_${2}")
	return strings.ToLower(prefix + "_" + vendor + "_" + name + "_" + parts[3]), nil
}

// appendText appends a text as JSON. Bytes that are not UTF-8 become U+FFFD.
func appendText(dst []byte, text string) []byte {
	encoded, err := json.Marshal(text)
	if err != nil {
		panic(err) // a text can always be written
	}
	return append(dst, encoded...)
}
