package collect

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/api/route"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/ingest"
)

// pixelRoutes take an event from the query of an image, as a mail or a page without scripts can send it:
//
//	/pixel/v1/track?writeKey=mail&anonymousId=a1&event=Opened&properties.campaign=may      (RudderStack)
//	/api/px/track?writekey=mail&data=eyJ1c2VySWQiOiJjdXNfMSJ9&event=Opened                 (Jitsu)
func (c *Collector) pixelRoutes() []route.Route {
	routes := make([]route.Route, 0, 3)
	for _, t := range []graph.EventType{graph.TypeTrack, graph.TypePage} {
		routes = append(routes, route.Route{
			Path: "/pixel/v1/" + t.String(), Handler: c.pixel(t), Summary: "Take a " + t.String() + " event from the query of an image",
		})
	}
	routes = append(routes, route.Route{Path: "/api/px/{type}", Handler: c.typedPixel, Summary: "Take an event of a type from the query of an image"})
	for i := range routes {
		rt := &routes[i]
		rt.Method, rt.Handler = http.MethodGet, c.timed(rt.Handler)
		rt.Notes = "A parameter is a member of the event; a dot in its name leads into a member: properties.campaign. " +
			"The answer is sent once the event is durable and a look-up finds it. An event without messageId counts each time the image is loaded. HEAD takes no event."
		rt.Parameters = []route.Parameter{{Name: "data", Text: "the event, or a part of it, as JSON in Base64"}, writeKeyParameter}
		rt.OtherParameters = true // they are the event
		rt.Answers = []route.Answer{{Media: "image/gif", Text: "A transparent image of one pixel"}}
		rt.Problems = takeProblems
	}
	routes[2].Problems = append(slices.Clone(takeProblems), document.CodeUnknownRoute)
	return routes
}

// gif is a transparent image of one pixel.
var gif = []byte("GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\x00\x00\x00!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;")

func sendGIF(w http.ResponseWriter) *route.Problem {
	h := w.Header()
	h.Set("Content-Type", "image/gif")
	h.Set("Content-Length", strconv.Itoa(len(gif)))
	h.Set("Cache-Control", "no-store") // a cached image would send nothing
	_, _ = w.Write(gif)                // the client has gone: nobody to tell
	return nil
}

func (c *Collector) pixel(typ graph.EventType) route.Handler {
	return func(w http.ResponseWriter, r *http.Request) *route.Problem {
		if r.Method == http.MethodHead { // a scanner of mails: nobody has seen the image
			return sendGIF(w)
		}
		event, p := queriedEvent(r.URL.Query())
		if p != nil {
			return p
		}
		return c.take(w, r, event, asked{typ: typ, live: true}, func(in *request) *route.Problem {
			if v := in.Verdicts()[0]; v.Status == ingest.Rejected {
				return in.unreadable(nil)
			}
			return sendGIF(w)
		})
	}
}

// typedPixel answers GET /api/px/{type}, with the name of a type or its first letter.
func (c *Collector) typedPixel(w http.ResponseWriter, r *http.Request) *route.Problem {
	asked := r.PathValue("type")
	for t := graph.TypeIdentify; int(t) < graph.EventTypes; t++ {
		if name := t.String(); asked == name || asked == name[:1] {
			return c.pixel(t)(w, r)
		}
	}
	return &route.Problem{Code: document.CodeUnknownRoute}
}

// pixelDepth bounds the dots in the name of a parameter.
const pixelDepth = 16

// aboutRequest are parameters that are no members of the event.
var aboutRequest = []string{"data", "writeKey", "writekey", "process_headers", "cookie_domain"}

// queriedEvent makes the event that a query says: data, with each other parameter set where its name leads, in the order of
// names. Its size is bounded by that of the header of a request.
func queriedEvent(query url.Values) ([]byte, *route.Problem) {
	event := map[string]any{}
	if data := query.Get("data"); data != "" {
		// Senders differ in alphabet and padding, and a + that was not escaped arrives as a blank: all of them are
		// read.
		text, err := base64.RawURLEncoding.DecodeString(strings.NewReplacer("+", "-", "/", "_", " ", "-", "=", "").Replace(data))
		if err != nil {
			return nil, route.NewProblem(document.CodeBadParameter, "data: want Base64")
		}
		d := json.NewDecoder(bytes.NewReader(text))
		d.UseNumber() // so that a long order number stays whole
		if err := d.Decode(&event); err != nil || event == nil {
			return nil, route.NewProblem(document.CodeBadParameter, "data: want a JSON object in Base64")
		}
	}
	names := make([]string, 0, len(query))
	for name := range query {
		if !slices.Contains(aboutRequest, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		path := strings.Split(name, ".")
		if len(path) > pixelDepth || slices.Contains(path, "") {
			return nil, route.NewProblem(document.CodeBadParameter, "the name of a parameter: want at most %d parts between dots, none of them empty", pixelDepth)
		}
		values := query[name]
		set(event, path, values[len(values)-1])
	}
	if _, list := event["batch"]; list {
		return nil, route.NewProblem(document.CodeBadParameter, "batch: an image takes one event")
	}
	text, err := json.Marshal(event)
	if err != nil {
		return nil, &route.Problem{Code: document.CodeInternal}
	}
	return text, nil
}

// set sets the member that a path leads to, and makes the objects on the way.
//
// A value that stands in the way of a path gives place to an object: with a=1&a.b=2 the event has {"a":{"b":"2"}}.
func set(object map[string]any, path []string, value string) {
	for _, name := range path[:len(path)-1] {
		inner, ok := object[name].(map[string]any)
		if !ok {
			inner = map[string]any{}
			object[name] = inner
		}
		object = inner
	}
	object[path[len(path)-1]] = value
}
