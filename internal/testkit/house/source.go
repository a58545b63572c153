package main

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"
)

const module = "github.com/kindred-id/kindred"

// Source is the module, parsed and type-checked, tests included.
type source struct {
	fset *token.FileSet
	// production are the packages as they are built, without tests and without the test kit.
	production []*packages.Package
	// all has each package in every variant, tests too; and the modules of bench/research and bench/peers.
	all []*packages.Package
}

func load() (*source, error) {
	s := &source{fset: token.NewFileSet()}
	mode := packages.NeedName | packages.NeedFiles | packages.NeedSyntax | packages.NeedTypes | packages.NeedTypesInfo | packages.NeedImports
	var err error
	s.all, err = packages.Load(&packages.Config{Mode: mode, Fset: s.fset, Tests: true}, module+"/...")
	if err != nil {
		return nil, err
	}
	for _, p := range s.all {
		for _, e := range p.Errors {
			return nil, e
		}
		if p.ID == p.PkgPath && !strings.HasSuffix(p.PkgPath, ".test") && !isTestKit(p.PkgPath) {
			s.production = append(s.production, p)
		}
	}
	for _, dir := range []string{"bench/research", "bench/peers"} {
		users, err := packages.Load(&packages.Config{Mode: mode, Fset: s.fset, Tests: true, Dir: dir}, "./...")
		if err != nil {
			return nil, err
		}
		// A module that does not load has no uses, and what only it uses would count as unused.
		for _, p := range users {
			for _, e := range p.Errors {
				return nil, fmt.Errorf("%s: %w", dir, e)
			}
		}
		s.all = append(s.all, users...)
	}
	if len(s.production) == 0 {
		return nil, fmt.Errorf("no packages of %s here: run it at the top of the repository", module)
	}
	return s, nil
}

// isTestKit reports whether a package only serves tests, so that no figure counts it.
func isTestKit(path string) bool {
	return strings.Contains(path, "/testkit") || strings.HasSuffix(path, "test")
}

// local is a path without the module.
func local(path string) string { return strings.TrimPrefix(path, module+"/") }

// types finds the largest types that have behaviour: a method, and a field that is not exported. Plain data, such as
// a document or a configuration, may be as wide as what it describes.
func (s *source) types() []figure {
	type size struct {
		name            string
		fields, methods int
	}
	var sizes []size
	for _, p := range s.production {
		scope := p.Types.Scope()
		for _, name := range scope.Names() {
			object, ok := scope.Lookup(name).(*types.TypeName)
			if !ok || object.IsAlias() {
				continue
			}
			named, ok := object.Type().(*types.Named)
			if !ok {
				continue
			}
			body, ok := named.Underlying().(*types.Struct)
			if !ok || named.NumMethods() == 0 {
				continue
			}
			hidden := false
			for i := range body.NumFields() {
				hidden = hidden || !body.Field(i).Exported()
			}
			if hidden {
				sizes = append(sizes, size{local(p.PkgPath) + "." + name, body.NumFields(), named.NumMethods()})
			}
		}
	}
	fields := figure{name: "largest type: fields", aim: "≤ 15"}
	slices.SortFunc(sizes, func(a, b size) int { return cmp.Or(b.fields-a.fields, cmp.Compare(a.name, b.name)) })
	fields.value = fmt.Sprintf("%d (%s)", sizes[0].fields, sizes[0].name)
	for _, t := range sizes[:min(25, len(sizes))] {
		fields.detail = append(fields.detail, fmt.Sprintf("%3d %s", t.fields, t.name))
	}
	methods := figure{name: "largest type: methods", aim: "≤ 20"}
	slices.SortFunc(sizes, func(a, b size) int { return cmp.Or(b.methods-a.methods, cmp.Compare(a.name, b.name)) })
	methods.value = fmt.Sprintf("%d (%s)", sizes[0].methods, sizes[0].name)
	for _, t := range sizes[:min(25, len(sizes))] {
		methods.detail = append(methods.detail, fmt.Sprintf("%3d %s", t.methods, t.name))
	}
	return []figure{fields, methods}
}

// functions measures functions from their first line to their last.
func (s *source) functions() figure {
	f := figure{name: "functions: p99 lines, share above 70", aim: "≤ 51, ≤ 0.2 %"}
	var lengths []int
	long := map[string]int{}
	for _, p := range s.production {
		for _, file := range p.Syntax {
			if ast.IsGenerated(file) {
				continue
			}
			for _, d := range file.Decls {
				fn, ok := d.(*ast.FuncDecl)
				if !ok || fn.Body == nil {
					continue
				}
				n := s.fset.Position(fn.End()).Line - s.fset.Position(fn.Pos()).Line + 1
				lengths = append(lengths, n)
				if n > 70 {
					long[fmt.Sprintf("%s.%s", local(p.PkgPath), fn.Name.Name)] = n
				}
			}
		}
	}
	slices.Sort(lengths)
	f.value = fmt.Sprintf("%d, %.2f %%", lengths[len(lengths)*99/100], 100*float64(len(long))/float64(len(lengths)))
	for _, name := range slices.Sorted(maps.Keys(long)) {
		f.detail = append(f.detail, fmt.Sprintf("%3d %s", long[name], name))
	}
	return f
}

// comments is the share of lines that hold a comment, of all lines that hold anything.
func (s *source) comments() figure {
	f := figure{name: "comment lines", aim: "≥ 18 %"}
	total, commented := 0, 0
	for _, p := range s.production {
		lines, comments := 0, 0
		for _, file := range p.Syntax {
			if ast.IsGenerated(file) {
				continue
			}
			l, c := commentLines(s.fset, file)
			lines, comments = lines+l, comments+c
		}
		f.detail = append(f.detail, fmt.Sprintf("%5.1f %% of %5d %s", 100*float64(comments)/float64(max(lines, 1)), lines, local(p.PkgPath)))
		total, commented = total+lines, commented+comments
	}
	slices.Sort(f.detail)
	f.value = fmt.Sprintf("%.1f %%", 100*float64(commented)/float64(total))
	return f
}

// commentLines counts the lines of a file that hold a token or a comment, and those that hold a comment.
func commentLines(fset *token.FileSet, file *ast.File) (lines, comments int) {
	used, commented := map[int]bool{}, map[int]bool{}
	mark := func(in map[int]bool, from, to token.Pos) {
		for line := fset.Position(from).Line; line <= fset.Position(to).Line; line++ {
			in[line] = true
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case nil, *ast.File:
		case *ast.BasicLit:
			mark(used, n.Pos(), n.End())
		default:
			used[fset.Position(n.Pos()).Line] = true
			used[fset.Position(n.End()-1).Line] = true
		}
		_, isComment := n.(*ast.CommentGroup)
		return !isComment
	})
	for _, group := range file.Comments {
		mark(used, group.Pos(), group.End()-1)
		mark(commented, group.Pos(), group.End()-1)
	}
	return len(used), len(commented)
}

// exports finds names that a package exports and no other package uses.
func (s *source) exports() figure {
	f := figure{name: "exported names used only in their own package", aim: "≤ 30"}
	type name struct{ path, name string }
	used := map[name]bool{}
	for _, p := range s.all {
		own := strings.TrimSuffix(p.PkgPath, "_test")
		for _, object := range p.TypesInfo.Uses {
			if object.Pkg() != nil && object.Pkg().Path() != own && object.Parent() == object.Pkg().Scope() {
				used[name{object.Pkg().Path(), object.Name()}] = true
			}
		}
	}
	for _, p := range s.production {
		if p.Name == "main" {
			continue
		}
		needed := typesInSight(p.Types.Scope())
		for _, n := range p.Types.Scope().Names() {
			object := p.Types.Scope().Lookup(n)
			if object.Exported() && !used[name{p.PkgPath, n}] && !needed[object] {
				f.detail = append(f.detail, local(p.PkgPath)+"."+n)
			}
		}
	}
	f.value = fmt.Sprint(len(f.detail))
	return f
}

// typesInSight are the types that callers meet without naming them: of exported constants, fields, parameters,
// results and methods. They have to be exported for documentation.
func typesInSight(scope *types.Scope) map[types.Object]bool {
	seen := map[types.Object]bool{}
	var see func(t types.Type, depth int)
	see = func(t types.Type, depth int) {
		if depth > 6 {
			return
		}
		switch t := t.(type) {
		case *types.Named:
			seen[t.Obj()] = true
			for i := range t.TypeArgs().Len() {
				see(t.TypeArgs().At(i), depth+1)
			}
		case *types.Pointer:
			see(t.Elem(), depth+1)
		case *types.Slice:
			see(t.Elem(), depth+1)
		case *types.Array:
			see(t.Elem(), depth+1)
		case *types.Chan:
			see(t.Elem(), depth+1)
		case *types.Map:
			see(t.Key(), depth+1)
			see(t.Elem(), depth+1)
		case *types.Signature:
			for _, tuple := range []*types.Tuple{t.Params(), t.Results()} {
				for i := range tuple.Len() {
					see(tuple.At(i).Type(), depth+1)
				}
			}
		}
	}
	for _, n := range scope.Names() {
		object := scope.Lookup(n)
		if !object.Exported() {
			continue
		}
		typeName, ok := object.(*types.TypeName)
		if !ok {
			see(object.Type(), 0)
			continue
		}
		named, ok := typeName.Type().(*types.Named)
		if !ok {
			continue
		}
		for i := range named.NumMethods() {
			if m := named.Method(i); m.Exported() {
				see(m.Type(), 0)
			}
		}
		switch body := named.Underlying().(type) {
		case *types.Struct:
			for i := range body.NumFields() {
				if body.Field(i).Exported() {
					see(body.Field(i).Type(), 0)
				}
			}
		case *types.Interface:
			for i := range body.NumMethods() {
				see(body.Method(i).Type(), 0)
			}
		case *types.Signature:
			see(body, 0)
		}
	}
	return seen
}
