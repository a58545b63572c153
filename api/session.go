package api

import (
	"net/http"

	"github.com/kindred-id/kindred/actors/keyring"
	"github.com/kindred-id/kindred/api/access"
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/api/route"
)

// sessionRoutes sign people in and out who use a browser: the console asks them. They tell about nobody but the asker.
func (s *Server) sessionRoutes() []route.Route {
	answer := []route.Answer{{Document: document.Session{}}}
	routes := []route.Route{
		{
			Method: "GET", Handler: s.getSession, Summary: "Ask who the browser is signed in as",
			Notes: "On a deployment without keys, everybody may do everything.", Answers: answer, Problems: []document.Code{document.CodeBadParameter},
		},
		{
			Method: "POST", Handler: s.postSession, Summary: "Sign in with a browser",
			Notes:   "The answer sets a cookie, which routes that take events do not count. The session ends with the key, when the server stops, and after 12 hours.",
			Bodies:  []any{document.SignInRequest{}},
			Answers: answer,
			Problems: []document.Code{
				document.CodeBadParameter, document.CodeCrossOrigin, document.CodeInvalidBody, document.CodeBodyTooLarge, document.CodeNoKey, document.CodeUnknownKey, document.CodeKeyExpired,
				document.CodeKeyRevoked, document.CodeBadToken, document.CodeNoRole, document.CodeProviderDown, document.CodeWrongScope,
			},
		},
		{
			Method: "DELETE", Handler: s.deleteSession, Summary: "Sign out with a browser", Answers: answer,
			Problems: []document.Code{document.CodeBadParameter, document.CodeCrossOrigin},
		},
	}
	for i := range routes {
		routes[i].Path, routes[i].Audience, routes[i].Public = "/v1/session", route.Console, true
		routes[i].SameOrigin = routes[i].Method != "GET"
	}
	return routes
}

func (s *Server) getSession(w http.ResponseWriter, r *http.Request) *route.Problem {
	return s.sendSession(w, s.Access.SessionOf(r))
}

func (s *Server) postSession(w http.ResponseWriter, r *http.Request) *route.Problem {
	var ask document.SignInRequest
	if p := route.ReadJSON(w, r, &ask); p != nil {
		return p
	}
	if s.Access.Open() {
		return s.sendSession(w, nil) // there is nothing to sign in to
	}
	session, refusal := s.Access.SignIn(r.Context(), w, r, ask.Key)
	if refusal != nil {
		return route.Refused(refusal)
	}
	return s.sendSession(w, session)
}

func (s *Server) deleteSession(w http.ResponseWriter, r *http.Request) *route.Problem {
	s.Access.SignOut(w, r)
	return s.sendSession(w, nil)
}

func (s *Server) sendSession(w http.ResponseWriter, session *access.Session) *route.Problem {
	d := document.Session{Open: s.Access.Open(), Scopes: []string{}, Version: s.Version}
	switch {
	case d.Open:
		d.Scopes = keyring.All().Names()
	case session != nil:
		until := document.NewTime(session.Until.UnixMilli())
		d.SignedIn, d.Name, d.Scopes, d.Until = true, session.Name, session.Scopes.Names(), document.TimeOrNull(until)
	}
	return route.Send(w, d)
}
