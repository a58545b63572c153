package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
)

// base is the commit that a change is compared with.
type base struct {
	commit string // its hash
	why    string
}

func (b base) String() string { return fmt.Sprintf("%.12s, %s", b.commit, b.why) }

// errFirst is returned for a change that has no parent.
var errFirst = errors.New("no base: the first commit")

// chooseBase names the base of the working tree: the given commit, else where its branch left the main branch. On the main
// branch itself it is the commit before, or the last commit if there are edits after it.
func chooseBase(ctx context.Context, given string) (base, error) {
	if given != "" {
		commit, err := git(ctx, "rev-parse", "--verify", "--end-of-options", given+"^{commit}")
		return base{commit, "as given"}, err
	}
	head, err := git(ctx, "rev-parse", "--verify", "HEAD^{commit}")
	if err != nil {
		return base{}, err
	}
	for _, main := range []string{"origin/HEAD", "origin/main", "main"} {
		if _, err := git(ctx, "rev-parse", "--verify", "--quiet", main+"^{commit}"); err != nil {
			continue
		}
		if fork, err := git(ctx, "merge-base", "HEAD", main); err == nil && fork != head {
			return base{fork, "where this branch left " + main}, nil
		}
		break
	}
	if edits, err := git(ctx, "status", "--porcelain", "--untracked-files=no"); err != nil || edits != "" {
		return base{head, "the last commit"}, err
	}
	return parentOf(ctx, head)
}

// parentOf returns the first parent of a commit, which is fetched if the clone is shallow.
func parentOf(ctx context.Context, head string) (base, error) {
	const why = "the commit before"
	if parent, err := git(ctx, "rev-parse", "--verify", "--quiet", head+"^1"); err == nil {
		return base{parent, why}, nil
	}
	if shallow, err := git(ctx, "rev-parse", "--is-shallow-repository"); err != nil || shallow == "false" {
		return base{}, errors.Join(err, errFirst)
	}
	_, fetched := git(ctx, "fetch", "--quiet", "--deepen=1")
	parent, err := git(ctx, "rev-parse", "--verify", "--quiet", head+"^1")
	if err != nil {
		return base{}, fmt.Errorf("base: this clone is shallow and its parent could not be fetched (%w); run git fetch --unshallow, or give BASE", errors.Join(fetched, err))
	}
	return base{parent, why}, nil
}

// git runs git in the working directory and returns what it prints.
func git(ctx context.Context, args ...string) (string, error) {
	var stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("git %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(stderr.String()))
	}
	return strings.TrimSpace(string(out)), nil
}
