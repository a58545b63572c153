package audiencelang

import (
	"sync"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/env"
	"cel.dev/cel-go/common/operators"
)

// eventFunctions are the functions that name events, and the type of event that each means.
var eventFunctions = map[string]string{
	"events": "", "identifies": "identify", "tracks": "track", "pages": "page", "screens": "screen", "groups": "group", "aliases": "alias",
}

// environment declares what the text form knows, so that CEL checks names and types and says where they are wrong.
var environment = sync.OnceValues(func() (*cel.Env, error) {
	events, orders := cel.OpaqueType("events"), cel.OpaqueType("orders")
	document := cel.MapType(cel.StringType, cel.DynType)
	options := []cel.EnvOption{
		cel.Variable("p", document), cel.Variable("trait", document), cel.Variable("score", document),
		cel.Function("orders", cel.Overload("orders", nil, orders)),
		cel.Function("has_identifier", cel.Overload("has_identifier", []*cel.Type{cel.StringType}, cel.BoolType)),
		cel.Function("audience", cel.Overload("audience", []*cel.Type{cel.StringType}, cel.BoolType)),
		cel.Function("present", cel.Overload("present", []*cel.Type{cel.DynType}, cel.BoolType)),
		cel.Function("missing", cel.Overload("missing", []*cel.Type{cel.DynType}, cel.BoolType)),
		member("notIn", cel.BoolType, cel.DynType, cel.ListType(cel.DynType)),
		member("contains", cel.BoolType, cel.DynType, cel.StringType),
		member("startsWith", cel.BoolType, cel.DynType, cel.StringType),
		cel.Function("between", cel.MemberOverload("between", []*cel.Type{cel.DynType, cel.DynType, cel.DynType}, cel.BoolType)),
		cel.Function("last",
			cel.MemberOverload("events_last", []*cel.Type{events, cel.StringType}, events),
			cel.MemberOverload("orders_last", []*cel.Type{orders, cel.StringType}, orders)),
		cel.Function("days",
			cel.MemberOverload("events_days", []*cel.Type{events, cel.StringType, cel.StringType}, events),
			cel.MemberOverload("orders_days", []*cel.Type{orders, cel.StringType, cel.StringType}, orders)),
		cel.Function("count",
			cel.MemberOverload("events_count", []*cel.Type{events}, cel.IntType),
			cel.MemberOverload("orders_count", []*cel.Type{orders}, cel.IntType)),
		member("net", cel.DynType, orders, cel.StringType),
		member("any", cel.BoolType, events),
		member("first", cel.BoolType, events),
		member("sum", cel.DynType, events, cel.DynType),
		member("distinct", cel.IntType, events, cel.DynType),
		member("first_value", cel.DynType, events, cel.DynType),
		member("last_value", cel.DynType, events, cel.DynType),
		member("then", events, events, events, cel.StringType),
		cel.Function("first_time",
			cel.MemberOverload("events_first_time", []*cel.Type{events}, cel.DynType),
			cel.MemberOverload("orders_first_time", []*cel.Type{orders}, cel.DynType)),
		cel.Function("last_time",
			cel.MemberOverload("events_last_time", []*cel.Type{events}, cel.DynType),
			cel.MemberOverload("orders_last_time", []*cel.Type{orders}, cel.DynType)),
		member("newest", cel.DynType, events, cel.DynType, cel.IntType),
		member("most_frequent", cel.DynType, events, cel.DynType),
	}
	for name := range eventFunctions {
		options = append(options, cel.Function(name,
			cel.Overload(name, nil, events),
			cel.Overload(name+"_name", []*cel.Type{cel.StringType}, events),
			cel.Overload(name+"_where", []*cel.Type{cel.BoolType}, events),
			cel.Overload(name+"_name_where", []*cel.Type{cel.StringType, cel.BoolType}, events)))
	}
	return cel.NewCustomEnv(append([]cel.EnvOption{cel.StdLib(cel.StdLibSubset(subset()))}, options...)...)
})

func member(name string, result *cel.Type, args ...*cel.Type) cel.EnvOption {
	return cel.Function(name, cel.MemberOverload(name, args, result))
}

// subset is what is used of CEL's standard library: no arithmetic, no conversions, no loops.
func subset() *env.LibrarySubset {
	lib := env.NewLibrarySubset().AddIncludedMacros(operators.Has)
	for _, name := range []string{
		operators.LogicalAnd, operators.LogicalOr, operators.LogicalNot, operators.Equals, operators.NotEquals, operators.Less,
		operators.LessEquals, operators.Greater, operators.GreaterEquals, operators.In, operators.Index, operators.Negate,
	} {
		lib.AddIncludedFunctions(env.NewFunction(name))
	}
	return lib
}
