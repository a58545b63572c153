package audiencelang

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"

	"github.com/kindred-id/kindred/graph/audience"
)

// TextMax bounds the text of an audience, in bytes.
const TextMax = 20_000

// An Error says where in a text something is wrong.
type Error struct {
	Line, Column int // both from 1
	Err          error
}

func (e *Error) Error() string { return fmt.Sprintf("line %d, column %d: %v", e.Line, e.Column, e.Err) }

// Unwrap gives the problem.
func (e *Error) Unwrap() error { return e.Err }

// Parse reads a text into a tree of conditions. Every error about the text is an *Error.
func Parse(text string) (*audience.Node, error) {
	return parse(text, func(t *translation, e ast.Expr) (object, error) { return t.condition("", e) }, audience.Parse)
}

// ParseValue reads a text into what it measures of a person. Every error about the text is an *Error.
func ParseValue(text string) (*audience.Expression, error) {
	return parse(text, (*translation).measure, audience.ParseExpression)
}

// parse checks a text, translates it into JSON, and reads that: errors that the reader finds get the places of the text.
func parse[T any](text string, translate func(*translation, ast.Expr) (object, error), read func([]byte) (*T, error)) (*T, error) {
	if len(text) > TextMax {
		return nil, &Error{1, 1, fmt.Errorf("a text of %d bytes; give at most %d", len(text), TextMax)}
	}
	env, err := environment()
	if err != nil {
		return nil, fmt.Errorf("language of audiences: %w", err)
	}
	checked, issues := env.Compile(text)
	if issues.Err() != nil {
		first := issues.Errors()[0]
		return nil, &Error{first.Location.Line(), first.Location.Column() + 1, errors.New(first.Message)}
	}
	t := &translation{info: checked.NativeRep().SourceInfo(), places: map[string]int64{}}
	tree, err := translate(t, checked.NativeRep().Expr())
	if err != nil {
		return nil, err
	}
	written, err := json.Marshal(tree)
	if err != nil {
		return nil, fmt.Errorf("language of audiences: %w", err)
	}
	n, err := read(written)
	if placed := (*audience.PlaceError)(nil); errors.As(err, &placed) {
		return nil, t.at(t.find(placed.Place), placed.Err)
	}
	return n, err
}

// translation turns a checked expression into the JSON form of a tree, whose reader checks all the rest.
type translation struct {
	info   *ast.SourceInfo
	places map[string]int64 // from places of the tree to expressions
}

type object = map[string]any

// find returns the expression of a place, or of the nearest place around it.
func (t *translation) find(place string) int64 {
	for {
		if id, ok := t.places[place]; ok || place == "" {
			return id
		}
		place = place[:max(0, strings.LastIndexAny(place, ".["))]
	}
}

func (t *translation) at(id int64, err error) error {
	l := t.info.GetStartLocation(id)
	return &Error{max(1, l.Line()), l.Column() + 1, err}
}

func (t *translation) wrong(e ast.Expr, format string, args ...any) error {
	return t.at(e.ID(), fmt.Errorf(format, args...))
}

func join(place, name string) string { return strings.TrimPrefix(place+"."+name, ".") }

// condition translates an expression that is true or false.
func (t *translation) condition(place string, e ast.Expr) (object, error) {
	t.places[place] = e.ID()
	if e.Kind() == ast.SelectKind {
		return t.compared(place, e, nil)
	}
	if e.Kind() != ast.CallKind {
		return nil, t.wrong(e, "this is no condition; compare a trait, a score or a number of events")
	}
	call := e.AsCall()
	args := call.Args()
	switch name := call.FunctionName(); name {
	case operators.LogicalAnd:
		return t.list(place, "all", e, name)
	case operators.LogicalOr:
		return t.list(place, "any", e, name)
	case operators.LogicalNot:
		child, err := t.condition(join(place, "not"), args[0])
		return object{"not": child}, err
	case "has_identifier", "audience":
		key, err := t.literal(args[0])
		return object{map[string]string{"has_identifier": "identifier", "audience": "audience"}[name]: key}, err
	case "any":
		return t.events(place, call.Target())
	case "first":
		o, err := t.events(place, call.Target())
		if err == nil {
			o["first"] = true
		}
		return o, err
	}
	return t.compared(place, e, call)
}

// list translates a chain of one operator, which CEL nests, into one list.
func (t *translation) list(place, field string, e ast.Expr, operator string) (object, error) {
	var children []any
	var walk func(e ast.Expr) error
	walk = func(e ast.Expr) error {
		if e.Kind() == ast.CallKind && e.AsCall().FunctionName() == operator {
			for _, arg := range e.AsCall().Args() {
				if err := walk(arg); err != nil {
					return err
				}
			}
			return nil
		}
		child, err := t.condition(fmt.Sprintf("%s[%d]", join(place, field), len(children)), e)
		children = append(children, child)
		return err
	}
	err := walk(e)
	return object{field: children}, err
}

var comparisons = map[string]string{
	operators.Equals: "eq", operators.NotEquals: "ne", operators.Less: "lt", operators.LessEquals: "le", operators.Greater: "gt",
	operators.GreaterEquals: "ge", operators.In: "in", "notIn": "not_in", "contains": "contains", "startsWith": "starts_with",
}

// compared translates a comparison: of a trait, a score, or what is measured of events or orders.
func (t *translation) compared(place string, e ast.Expr, call ast.CallExpr) (object, error) {
	left, op, values, err := t.split(e, call)
	if err != nil {
		return nil, err
	}
	if left.Kind() == ast.CallKind && left.AsCall().IsMemberFunction() {
		return t.measured(place, e, left, op, values)
	}
	root, path, err := t.path(left)
	if err != nil {
		return nil, err
	}
	if root != "trait" && root != "score" {
		return nil, t.wrong(left, `%q is a property of an event; use it within events("…", …)`, root)
	}
	return object{root: triple(path, op, values)}, nil
}

func triple(path, op string, values any) []any {
	if values == nil {
		return []any{path, op}
	}
	return []any{path, op, values}
}

// split finds the two sides of a comparison. Values are what JSON has for them; nil of exists and missing.
func (t *translation) split(e ast.Expr, call ast.CallExpr) (left ast.Expr, op string, values any, err error) {
	if call == nil {
		if e.Kind() == ast.SelectKind && e.AsSelect().IsTestOnly() {
			return e, "exists", nil, nil
		}
		return nil, "", nil, t.wrong(e, "this is no condition; compare it, like == true")
	}
	name, args := call.FunctionName(), call.Args()
	switch name {
	case "present":
		return args[0], "exists", nil, nil
	case "missing":
		return args[0], "missing", nil, nil
	case "between":
		low, err := t.value(args[0])
		if err != nil {
			return nil, "", nil, err
		}
		high, err := t.value(args[1])
		return call.Target(), "between", []any{low, high}, err
	}
	if call.IsMemberFunction() {
		args = append([]ast.Expr{call.Target()}, args...)
	}
	op, known := comparisons[name]
	if !known || len(args) != 2 {
		return nil, "", nil, t.wrong(e, "this is no condition; compare it with a value")
	}
	values, err = t.value(args[1])
	return args[0], op, values, err
}

// value translates a literal, or a list of literals.
func (t *translation) value(e ast.Expr) (any, error) {
	switch e.Kind() {
	case ast.LiteralKind:
		switch v := e.AsLiteral().(type) {
		case types.String:
			return string(v), nil
		case types.Bool:
			return bool(v), nil
		case types.Int:
			return json.Number(strconv.FormatInt(int64(v), 10)), nil
		case types.Double:
			return json.Number(strconv.FormatFloat(float64(v), 'f', -1, 64)), nil
		}
	case ast.ListKind:
		values := []any{}
		for _, element := range e.AsList().Elements() {
			v, err := t.value(element)
			if err != nil {
				return nil, err
			}
			values = append(values, v)
		}
		return values, nil
	}
	return nil, t.wrong(e, "want a value here: a text in quotes, a number, true, false, or a list of them; put it on the right side")
}

func (t *translation) literal(e ast.Expr) (string, error) {
	v, err := t.value(e)
	text, ok := v.(string)
	if err == nil && !ok {
		err = t.wrong(e, "want a text in quotes")
	}
	return text, err
}

// path reads trait.address.city or p["first name"].
func (t *translation) path(e ast.Expr) (root, path string, err error) {
	var names []string
	for {
		switch {
		case e.Kind() == ast.IdentKind:
			if len(names) == 0 {
				return "", "", t.wrong(e, "%q has many values; name one, like %s.plan", e.AsIdent(), e.AsIdent())
			}
			slices.Reverse(names)
			return e.AsIdent(), strings.Join(names, "."), nil
		case e.Kind() == ast.SelectKind:
			names = append(names, e.AsSelect().FieldName())
			e = e.AsSelect().Operand()
		case e.Kind() == ast.CallKind && e.AsCall().FunctionName() == operators.Index:
			name, err := t.literal(e.AsCall().Args()[1])
			if err != nil {
				return "", "", err
			}
			names = append(names, name)
			e = e.AsCall().Args()[0]
		default:
			return "", "", t.wrong(e, "want a property, a trait or a score on the left side")
		}
	}
}

// property reads a path below p.
func (t *translation) property(e ast.Expr) (string, error) {
	root, path, err := t.path(e)
	if err == nil && root != "p" {
		err = t.wrong(e, "want a property of the event, like p.category; %s is no property", root)
	}
	return path, err
}

// measured translates a comparison of what is measured of events or orders. REQUIRES: left is a call of a member.
func (t *translation) measured(place string, e, left ast.Expr, op string, values any) (object, error) {
	call := left.AsCall()
	switch name := call.FunctionName(); name {
	case "first_value", "last_value":
		o, err := t.events(place, call.Target())
		if err != nil {
			return nil, err
		}
		path, err := t.property(call.Args()[0])
		if op == "between" {
			return nil, t.wrong(e, "between compares counts and sums; use two conditions")
		}
		o[name] = triple(path, op, values)
		return o, err
	case "count", "sum", "distinct", "net":
		bounds, err := t.bounds(e, op, values, name == "count" || name == "distinct")
		if err != nil {
			return nil, err
		}
		source, windows, err := t.windows(call.Target())
		if err != nil {
			return nil, err
		}
		if source.FunctionName() == "orders" {
			windows["orders"] = object{name: bounds}
			if name == "net" {
				windows["currency"], err = t.literal(call.Args()[0])
			}
			return windows, err
		}
		if len(call.Args()) > 0 {
			if bounds["of"], err = t.property(call.Args()[0]); err != nil {
				return nil, err
			}
		}
		windows[name] = bounds
		return t.filtered(place, windows, source)
	}
	return nil, t.wrong(left, "%s can't be compared", call.FunctionName())
}

// measure translates a value: what is measured of events or orders, without a comparison.
func (t *translation) measure(e ast.Expr) (object, error) {
	t.places[""] = e.ID()
	if e.Kind() != ast.CallKind || !e.AsCall().IsMemberFunction() {
		return nil, t.wrong(e, "this is no value; measure events or orders, like orders().count()")
	}
	call := e.AsCall()
	name, args := call.FunctionName(), call.Args()
	if name == "any" || name == "first" {
		return nil, t.wrong(e, "%s() is a condition, and no value; measure it, like count(), or define an audience", name)
	}
	source, o, err := t.windows(call.Target())
	switch {
	case err != nil:
		return nil, err
	case source.FunctionName() == "orders":
		o["orders"] = name
		if name == "net" {
			o["currency"], err = t.literal(args[0])
		}
		return o, err
	case source.FunctionName() == "then":
		return nil, t.wrong(e, "a sequence has no value; measure one kind of events")
	}
	o["value"] = name
	if len(args) > 0 {
		if o["of"], err = t.property(args[0]); err != nil {
			return nil, err
		}
	}
	if len(args) > 1 {
		if o["n"], err = t.value(args[1]); err != nil {
			return nil, err
		}
	}
	return t.filtered("", o, source)
}

// bounds translates a comparison with a number. Of whole numbers, "more than 2" is "at least 3".
func (t *translation) bounds(e ast.Expr, op string, value any, whole bool) (object, error) {
	if pair, ok := value.([]any); ok && op == "between" {
		return object{"at_least": pair[0], "at_most": pair[1]}, nil
	}
	number, ok := value.(json.Number)
	if !ok {
		return nil, t.wrong(e, "want a number on the right side")
	}
	switch op {
	case "ge":
		return object{"at_least": number}, nil
	case "le":
		return object{"at_most": number}, nil
	case "eq":
		return object{"at_least": number, "at_most": number}, nil
	}
	n, err := strconv.ParseInt(string(number), 10, 64)
	switch {
	case !whole || err != nil:
	case op == "gt":
		return object{"at_least": n + 1}, nil
	case op == "lt":
		return object{"at_most": n - 1}, nil
	}
	return nil, t.wrong(e, "want >=, <=, == or between here")
}

// events translates events with their windows, without a measure: there is such an event.
func (t *translation) events(place string, e ast.Expr) (object, error) {
	source, windows, err := t.windows(e)
	if err != nil {
		return nil, err
	}
	return t.filtered(place, windows, source)
}

// windows reads what narrows events or orders down by time, and returns the call that names them.
func (t *translation) windows(e ast.Expr) (source ast.CallExpr, windows object, err error) {
	windows = object{}
	for {
		call := e.AsCall()
		var fields []string
		switch call.FunctionName() {
		case "last":
			fields = []string{"last"}
		case "days":
			fields = []string{"from", "to"}
		default:
			return call, windows, nil
		}
		for i, field := range fields {
			if windows[field] != nil {
				return nil, nil, t.wrong(e, "two windows; give one")
			}
			if windows[field], err = t.literal(call.Args()[i]); err != nil {
				return nil, nil, err
			}
		}
		e = call.Target()
	}
}

// filtered adds which events are meant.
func (t *translation) filtered(place string, o object, source ast.CallExpr) (object, error) {
	if source.FunctionName() == "then" {
		first, err := t.filter(join(place, "sequence[0]"), source.Target())
		if err != nil {
			return nil, err
		}
		then, err := t.filter(join(place, "sequence[1]"), source.Args()[0])
		if err != nil {
			return nil, err
		}
		o["sequence"] = []any{first, then}
		o["within"], err = t.literal(source.Args()[1])
		return o, err
	}
	f, err := t.filterOf(join(place, "signal"), source)
	o["signal"] = f
	return o, err
}

func (t *translation) filter(place string, e ast.Expr) (object, error) {
	t.places[place] = e.ID()
	if _, known := eventFunctions[e.AsCall().FunctionName()]; !known {
		return nil, t.wrong(e, "a sequence is of two events without windows of their own")
	}
	return t.filterOf(place, e.AsCall())
}

func (t *translation) filterOf(place string, call ast.CallExpr) (object, error) {
	f := object{}
	if eventType := eventFunctions[call.FunctionName()]; eventType != "" {
		f["type"] = eventType
	}
	args := call.Args()
	if len(args) > 0 && args[0].Kind() == ast.LiteralKind {
		name, err := t.literal(args[0])
		if err != nil {
			return nil, err
		}
		f["event"], args = name, args[1:]
	}
	var where []any
	for _, arg := range args {
		var err error
		if where, err = t.where(join(place, "where"), where, arg); err != nil {
			return nil, err
		}
	}
	if where != nil {
		f["where"] = where
	}
	return f, nil
}

// where translates conditions over properties, which all have to hold.
func (t *translation) where(place string, where []any, e ast.Expr) ([]any, error) {
	var call ast.CallExpr
	if e.Kind() == ast.CallKind {
		call = e.AsCall()
		switch call.FunctionName() {
		case operators.LogicalAnd:
			for _, arg := range call.Args() {
				var err error
				if where, err = t.where(place, where, arg); err != nil {
					return nil, err
				}
			}
			return where, nil
		case operators.LogicalOr, operators.LogicalNot:
			return nil, t.wrong(e, `of one event all conditions hold; use "in", "notIn" and "!=", or events(…) twice`)
		}
	}
	left, op, values, err := t.split(e, call)
	if err != nil {
		return nil, err
	}
	path, err := t.property(left)
	if err != nil {
		return nil, err
	}
	if op == "between" {
		return nil, t.wrong(e, "between compares counts and sums; use >= and <=")
	}
	t.places[fmt.Sprintf("%s[%d]", place, len(where))] = e.ID()
	return append(where, triple(path, op, values)), nil
}
