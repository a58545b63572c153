package main

import (
	"fmt"
	"go/ast"
	"os"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// engines are what we build on, and the packages that may name their types. The client of a schema registry shares its
// repository with the Kafka client, and is none: it speaks HTTP, and ingest/record is its user.
var engines = []struct {
	name, path string
	homes      []string
}{
	{"Proto.Actor", "github.com/asynkron/protoactor-go", []string{"actors/protoactor", "cluster/proto"}},
	{"Kafka client", "github.com/twmb/franz-go", []string{"ingest/kafka", "egress/kafka", "cluster/kafka", "internal/broker"}},
	{"Pebble", "github.com/cockroachdb/pebble", []string{"storage"}},
}

const registryClient = "github.com/twmb/franz-go/pkg/sr"

// importers counts the packages that import an engine outside its homes.
func (s *source) importers() figure {
	f := figure{name: "importers outside their packages: Proto.Actor / Kafka client / Pebble", aim: "0 / 0 / 0"}
	var counts []string
	for _, engine := range engines {
		n := 0
		for _, p := range s.production {
			if slices.Contains(engine.homes, local(p.PkgPath)) {
				continue
			}
			for path := range p.Imports {
				if path == registryClient {
					continue
				}
				if path == engine.path || strings.HasPrefix(path, engine.path+"/") {
					f.detail = append(f.detail, fmt.Sprintf("%s: %s", engine.name, local(p.PkgPath)))
					n++
					break
				}
			}
		}
		counts = append(counts, fmt.Sprint(n))
	}
	f.value = strings.Join(counts, " / ")
	return f
}

// mutants counts the places in production code that a test switches.
func (s *source) mutants() figure {
	f := figure{name: "mutant switches in production", aim: "0"}
	for _, p := range s.production {
		for _, file := range p.Syntax {
			ast.Inspect(file, func(n ast.Node) bool {
				if call, ok := n.(*ast.CallExpr); ok {
					if sel, ok := call.Fun.(*ast.SelectorExpr); ok && sel.Sel.Name == "Is" {
						if x, ok := sel.X.(*ast.Ident); ok && x.Name == "mutant" {
							f.detail = append(f.detail, s.fset.Position(n.Pos()).String())
						}
					}
				}
				return true
			})
		}
	}
	f.value = fmt.Sprint(len(f.detail))
	return f
}

// arrows counts the linter's rules about what may import what.
func arrows() (figure, error) {
	f := figure{name: "linter rules for import arrows", aim: "one an arrow"}
	text, err := os.ReadFile(".golangci.yml")
	if err != nil {
		return f, err
	}
	var config struct {
		Linters struct {
			Settings struct {
				Depguard struct {
					Rules map[string]any
				}
			}
		}
	}
	if err := yaml.Unmarshal(text, &config); err != nil {
		return f, fmt.Errorf(".golangci.yml: %w", err)
	}
	for name := range config.Linters.Settings.Depguard.Rules {
		f.detail = append(f.detail, name)
	}
	slices.Sort(f.detail)
	f.value = fmt.Sprint(len(f.detail))
	return f, nil
}

// phrases counts how comments say what a function answers.
func (s *source) phrases() figure {
	f := figure{name: `"reports whether" / "tells whether"`, aim: "all / 0"}
	reports, tells := 0, 0
	for _, p := range s.production {
		for _, file := range p.Syntax {
			for _, group := range file.Comments {
				text := strings.Join(strings.Fields(group.Text()), " ")
				reports += strings.Count(text, "reports whether")
				if n := strings.Count(text, "tells whether") + strings.Count(text, "tell whether"); n > 0 {
					tells += n
					f.detail = append(f.detail, s.fset.Position(group.Pos()).String())
				}
			}
		}
	}
	f.value = fmt.Sprintf("%d / %d", reports, tells)
	return f
}
