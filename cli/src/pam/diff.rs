//! The difference of two texts, as `diff -u` shows it, in one hunk.

/// Unchanged lines shown around.
const CONTEXT: usize = 3;

/// The difference; empty when there is none.
pub(crate) fn unified(path: &str, before: &str, after: &str) -> String {
    if before == after {
        return String::new();
    }
    let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let same = |pairs: &mut dyn Iterator<Item = (&&str, &&str)>| pairs.take_while(|(a, b)| a == b).count();
    let head = same(&mut old.iter().zip(&new));
    let most = old.len().min(new.len()) - head;
    let tail = same(&mut old.iter().rev().zip(new.iter().rev())).min(most);
    let from = head.saturating_sub(CONTEXT);
    let until = |length: usize| (length - tail + CONTEXT).min(length);
    let (old_end, new_end) = (until(old.len()), until(new.len()));

    let mut text = format!(
        "--- {path}\n+++ {path} (new)\n@@ -{},{} +{},{} @@\n",
        from + 1,
        old_end - from,
        from + 1,
        new_end - from
    );
    let mut put = |mark: char, lines: &[&str]| {
        lines.iter().for_each(|line| text.push_str(&format!("{mark}{line}\n")));
    };
    put(' ', &old[from..head]);
    put('-', &old[head..old.len() - tail]);
    put('+', &new[head..new.len() - tail]);
    put(' ', &old[old.len() - tail..old_end]);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changed_is_shown_with_three_lines_around() {
        let before = "1\n2\n3\n4\n5\n6\n7\n8\n";
        let after = "1\n2\n3\n4\nnew\n5\n6\n7\n8\n";
        let expected = "--- f\n+++ f (new)\n@@ -2,6 +2,7 @@\n 2\n 3\n 4\n+new\n 5\n 6\n 7\n";
        assert_eq!(unified("f", before, after), expected);
        assert_eq!(unified("f", "a\nb\n", "a\n"), "--- f\n+++ f (new)\n@@ -1,2 +1,1 @@\n a\n-b\n");
        assert_eq!(unified("f", "a\na\n", "a\na\na\n").matches("\n+").count(), 2);
        assert_eq!(unified("f", "", "a\n"), "--- f\n+++ f (new)\n@@ -1,0 +1,1 @@\n+a\n");
        assert_eq!(unified("f", before, before), "");
    }
}
