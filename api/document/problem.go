package document

import "slices"

// Problem is an answer of 400 and above, as RFC 9457 has it.
type Problem struct {
	Type     string `json:"type"`               // urn:kindred:problem: and the code
	Title    string `json:"title"`              // the same for all problems of one code
	Status   int    `json:"status"`             // of the answer
	Detail   string `json:"detail,omitempty"`   // what is particular to this request
	Code     Code   `json:"code"`               // stable: programs may decide by it
	Hint     string `json:"hint"`               // what to do
	Instance string `json:"instance,omitempty"` // urn:kindred:request: and the id of the request
}

// Code says what went wrong with a request. Codes are part of the API: they do not change.
type Code string

// The codes of requests.
const (
	CodeUnknownRoute     Code = "unknown_route"
	CodeMethodNotAllowed Code = "method_not_allowed"
	CodeBadID            Code = "bad_id"
	CodeUnknownNamespace Code = "unknown_namespace"
	CodeNotFound         Code = "not_found"
	CodeUnknownGroup     Code = "unknown_group"
	CodeInTransit        Code = "in_transit"
	CodeBadParameter     Code = "bad_parameter"
	CodeEmptyBody        Code = "empty_body"
	CodeBadEncoding      Code = "bad_encoding"
	CodeUnknownEncoding  Code = "unknown_encoding"
	CodeInvalidBody      Code = "invalid_body"
	CodeIncompleteBody   Code = "incomplete_body"
	CodeNoReadableEvent  Code = "no_readable_event"
	CodeBodyTooLarge     Code = "body_too_large"
	CodeTooManyEvents    Code = "too_many_events"
	CodeUnknownMapping   Code = "unknown_mapping"
	CodeBodyTimeout      Code = "body_timeout"
	CodeBusy             Code = "busy"
	CodeShuttingDown     Code = "shutting_down"
	CodeEngineFailed     Code = "engine_failed"
	CodeShardLost        Code = "shard_lost"
	CodeTimeout          Code = "timeout"
	CodeTooManyIDs       Code = "too_many_ids"
	CodeCrossOrigin      Code = "cross_origin"
	CodeBadAssertion     Code = "bad_assertion"
	CodeSameIdentifier   Code = "same_identifier"
	CodeContradiction    Code = "contradiction"
	CodeUnknownAssertion Code = "unknown_assertion"
	CodeBackupDisabled   Code = "backup_disabled"
	CodeBackupRunning    Code = "backup_running"
	CodeBackupRefused    Code = "backup_refused"
	CodeBackupFailed     Code = "backup_failed"
	CodeDiskFull         Code = "disk_full"
	CodeExportFailed     Code = "export_failed"
	CodeFeedOff          Code = "feed_off"
	CodeFeedBehind       Code = "feed_behind"
	CodeUnknownReceiver  Code = "unknown_receiver"
	CodeNoKey            Code = "no_key"
	CodeUnknownKey       Code = "unknown_key"
	CodeKeyExpired       Code = "key_expired"
	CodeKeyRevoked       Code = "key_revoked"
	CodeBadToken         Code = "bad_token"
	CodeNoRole           Code = "no_role"
	CodeProviderDown     Code = "provider_unavailable"
	CodeKeyReused        Code = "idempotency_key_reused"
	CodeKeyUnderWay      Code = "idempotency_key_under_way"
	CodeWrongScope       Code = "wrong_scope"
	CodeRateLimited      Code = "rate_limited"
	CodeWrongHost        Code = "wrong_host"
	CodeBadKey           Code = "bad_key"
	CodeNoSuchKey        Code = "no_such_key"
	CodeKeyEnded         Code = "key_ended"
	CodeFirstKey         Code = "first_key"
	CodeTooManyKeys      Code = "too_many_keys"
	CodeNoSuchLetter     Code = "no_such_letter"
	CodeNoText           Code = "no_text"
	CodeBadAudience      Code = "bad_audience"
	CodeStaleVersion     Code = "stale_version"
	CodeUnknownAudience  Code = "unknown_audience"
	CodeBadSeek          Code = "bad_seek"
	CodeUnknownPosition  Code = "unknown_position"
	CodeUnknownNode      Code = "unknown_node"
	CodeNodeAlive        Code = "node_alive"
	CodeLastNode         Code = "last_node"
	CodeInternal         Code = "internal"

	// Of a single event; the other codes of events are those of package segment.
	CodeQuarantined Code = "quarantined"
)

// ProblemInfo is what all problems of one code have in common.
type ProblemInfo struct {
	Code   Code
	Status int
	Title  string
	Hint   string // what to do, where the problem itself has nothing more exact to say
}

var problemTable = []ProblemInfo{
	{CodeUnknownRoute, 404, "There is no such route", "see the list of routes in the documentation; a / inside an id is written %2F"},
	{CodeMethodNotAllowed, 405, "The route has no such method", "use a method of the Allow header"},
	{CodeBadID, 400, "The id can't be read", "give namespace:value, such as email:ann@example.com with reserved characters escaped, or a public id"},
	{CodeUnknownNamespace, 400, "The namespace is not registered", "use one of the namespaces that the detail lists"},
	{CodeNotFound, 404, "Nobody is known by this id", "check the value: it was never seen in an event that was taken"},
	{CodeUnknownGroup, 404, "No group is known by this id", "check the id and the type: no group event that was taken names it"},
	{CodeInTransit, 503, "The profile is on its way between shards", "try again"},
	{CodeBadParameter, 400, "A query parameter can't be used", "see the documentation of the route"},
	{CodeEmptyBody, 400, "The body is empty", "send an event, a list of events, or {\"batch\":[…]}"},
	{CodeBadEncoding, 400, "The body can't be inflated", "send one complete gzip or zstd stream, or no compression"},
	{CodeUnknownEncoding, 415, "The body's encoding is not known", "compress with gzip or zstd, or not at all"},
	{CodeInvalidBody, 400, "The body can't be read", "send valid JSON in UTF-8"},
	{CodeIncompleteBody, 400, "The body ended early", "send the whole body"},
	{CodeNoReadableEvent, 400, "No event of the body can be read", "see the hint of each rejected event"},
	{CodeBodyTooLarge, 413, "The body is too large", "send fewer events in a request"},
	{CodeTooManyEvents, 413, "The request has too many events", "send fewer events in a request"},
	{CodeUnknownMapping, 404, "There is no mapping of this name", "use one of the names that the detail lists, or start the server with --map NAME=FILE"},
	{CodeBodyTimeout, 408, "The body took too long", "send it again"},
	{CodeBusy, 429, "There is no room at the moment", "wait as Retry-After says, then send the same again: nothing was taken"},
	{CodeShuttingDown, 503, "The server is stopping", "send the same again once it is back: what has the same messageId is taken once"},
	{CodeEngineFailed, 503, "The engine has stopped", "see /readyz and the log of the server; send the same again once it is back: what has the same messageId is taken once"},
	{CodeShardLost, 503, "The part of the data that this is about is not served", "see /readyz and the log of the server; send the same again once it is back: what has the same messageId is taken once"},
	{CodeTimeout, 503, "The answer took too long", "try again"},
	{CodeTooManyIDs, 400, "Too many ids in one request", "ask in several requests"},
	{CodeCrossOrigin, 403, "A page of another origin may not do this", "call the API from a server, or from a page of its own origin"},
	{CodeKeyReused, 422, "The idempotency key came with another request", "use a new key for each request, and the same key for a request that is sent again"},
	{CodeKeyUnderWay, 409, "A request with this idempotency key is under way", "wait, and send the same again"},
	{CodeBadAssertion, 400, "The assertion can't be made", "see the documentation of assertions"},
	{CodeSameIdentifier, 400, "Both ids are the same identifier", "name two different identifiers"},
	{CodeContradiction, 409, "The assertion contradicts another one", "withdraw the other one first"},
	{CodeUnknownAssertion, 404, "There is no such assertion to withdraw", "list the assertions of the profile: GET /v1/profiles/{id}/assertions"},
	{CodeBackupDisabled, 403, "Backups over HTTP are switched off", "start the server with --backup-dir FOLDER, or stop it and run kindred backup DIR --data"},
	{CodeBackupRunning, 409, "A backup is running", "wait until it has ended"},
	{CodeBackupRefused, 409, "The directory can't take the backup", "name a directory that is empty or does not exist"},
	{CodeBackupFailed, 500, "The backup failed", "see the detail"},
	{CodeDiskFull, 507, "The disk is full", "free some space"},
	{CodeExportFailed, 500, "The export failed", "see the log of the server"},
	{CodeFeedOff, 409, "There is no change feed", "turn it on: kindred serve --feed; from then on every change is kept for its readers"},
	{CodeFeedBehind, 410, "The changes after this cursor were deleted", "ask with cursor=now for a cursor, take an export, and go on from that cursor"},
	{CodeBadSeek, 400, "No such place to seek to", "give earliest, latest or an offset as to, and ask a node that has the settings of Kafka for earliest and latest"},
	{CodeUnknownPosition, 404, "The cluster has no such position", "GET /v1/topics/positions lists them"},
	{CodeUnknownReceiver, 404, "The change feed has no such receiver", "GET /v1/changes/receivers lists them"},
	{CodeNoKey, 401, "The route needs a key", "send Authorization: Bearer KEY; kindred keys create makes one"},
	{CodeUnknownKey, 401, "The key is not known", "check that it is whole, and of this deployment: kindred keys list"},
	{CodeKeyExpired, 401, "The key has expired", "use its successor, or make another: kindred keys create"},
	{CodeKeyRevoked, 401, "The key was revoked", "make another: kindred keys create"},
	{CodeBadToken, 401, "The ID token is not valid", "sign in again; the token has to be of the issuer and for the audience that the server was started with"},
	{CodeNoRole, 403, "The person has no role here", "ask an administrator of the identity provider for a role"},
	{CodeProviderDown, 503, "The identity provider does not answer", "try again; keys are valid all the same"},
	{CodeWrongScope, 403, "The key may not do this", "use a key with the scope that the detail names"},
	{CodeRateLimited, 429, "The key makes too many requests", "wait as Retry-After says, then send the same again: nothing was taken"},
	{CodeWrongHost, 421, "The server does not answer for this host", "list the name in --allowed-hosts of kindred serve, or address the server by IP address"},
	{CodeBadKey, 400, "No such key can be made", "see the detail"},
	{CodeNoSuchKey, 404, "No key has this id", "kindred keys list shows the ids"},
	{CodeKeyEnded, 409, "The key has ended", "make another: kindred keys create"},
	{CodeFirstKey, 409, "The first key has to be an admin key", "make it first: kindred keys create admin; from then on every request needs a key"},
	{CodeTooManyKeys, 409, "There are too many keys", "revoked keys count, since they are told from unknown ones: use fewer, and longer"},
	{CodeNoSuchLetter, 404, "There is no such dead letter", "kindred deadletters list shows them; old ones are dropped"},
	{CodeNoText, 409, "The dead letter can't be sent again", "have its source send the event again: it was too long to be kept, or its mapping is gone"},
	{CodeUnknownAudience, 404, "No audience of this key serves", "GET /v1/audiences lists them; one that is new serves once stored events were looked through"},
	{CodeBadAudience, 400, "The audience can't be defined", "see the detail, and docs/audience-language.md"},
	{CodeStaleVersion, 412, "The definitions have changed meanwhile", "get them again, make the change in what they are now, and send it with their version"},
	{CodeUnknownNode, 404, "The cluster has no such node", "kindred cluster status shows the nodes"},
	{CodeNodeAlive, 409, "The node is alive", "drain it, wait until it owns nothing, and stop it"},
	{CodeLastNode, 409, "No other node would take shards", "start another one, or undo the drain of one"},
	{CodeInternal, 500, "A defect of Kindred", "report it with the request id and the log of the server"},
}

// Problems lists the codes of requests.
func Problems() []ProblemInfo { return slices.Clone(problemTable) }

// InfoOf is what all problems of a code have in common. REQUIRES: the code is one of Problems.
func InfoOf(code Code) *ProblemInfo { return problemByCode[code] }

var problemByCode = func() map[Code]*ProblemInfo {
	m := make(map[Code]*ProblemInfo, len(problemTable))
	for i := range problemTable {
		m[problemTable[i].Code] = &problemTable[i]
	}
	return m
}()
