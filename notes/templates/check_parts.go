package templates

import "fmt"

// checkStatements checks what a document of this kind must say.
func (c *checker) checkStatements(t Template) {
	keys := map[string]bool{}
	for i, s := range t.Statements {
		at := fmt.Sprintf("$.statements[%d]", i)
		if !keyForm.MatchString(s.Key) {
			c.add(at+".key", "a key is lower-case letters, digits and underscores")
		}
		if keys[s.Key] {
			c.add(at+".key", fmt.Sprintf("the statement %q is there twice", s.Key))
		}
		keys[s.Key] = true
		if s.Name == "" {
			c.add(at+".name", "the name is missing: write what a person should look for")
		}
		if len(s.Sections)+len(s.Says) == 0 {
			c.add(at, "say where the statement is found: give sections, or says with phrases")
		}
		for j, key := range s.Sections {
			if _, ok := t.Section(key); !ok {
				c.add(fmt.Sprintf("%s.sections[%d]", at, j), fmt.Sprintf("there is no section %q in this template", key))
			}
		}
	}
}

// checkNormals checks the text blocks.
func (c *checker) checkNormals(t Template) {
	names := map[string]bool{}
	for i, n := range t.Normals {
		at := fmt.Sprintf("$.normals[%d]", i)
		if n.Name == "" {
			c.add(at+".name", "the name is missing: write how the block is asked for")
		}
		for j, name := range append([]string{n.Name}, n.Synonyms...) {
			if names[fold(name)] {
				where := at + ".name"
				if j > 0 {
					where = fmt.Sprintf("%s.synonyms[%d]", at, j-1)
				}
				c.add(where, fmt.Sprintf("another text block is already called %q", name))
			}
			names[fold(name)] = true
		}
		if n.Text == "" {
			c.add(at+".text", "the text is missing")
		}
		if _, ok := t.Section(n.Section); !ok {
			c.add(at+".section", fmt.Sprintf("there is no section %q in this template", n.Section))
		}
	}
}
