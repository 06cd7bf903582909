//! The trusted comment of a Pitlane signature: `pitlane <name> <version> file:<path>`. It says which release and which file was
//! signed, so that a mirror cannot hand out an older signed file, or one of another release, under this name.

const std = @import("std");
const path_rules = @import("path.zig");

pub const Release = struct {
    name: []const u8,
    version: []const u8,

    pub fn eql(a: Release, b: Release) bool {
        return std.mem.eql(u8, a.name, b.name) and std.mem.eql(u8, a.version, b.version);
    }

    /// `NAME@VERSION`, as `--release` takes it.
    pub fn fromText(text: []const u8) error{InvalidRelease}!Release {
        const at = std.mem.indexOfScalar(u8, text, '@') orelse return error.InvalidRelease;
        const release: Release = .{ .name = text[0..at], .version = text[at + 1 ..] };
        if (!isWord(release.name) or !isWord(release.version)) return error.InvalidRelease;
        return release;
    }
};

pub const Comment = struct {
    release: Release,
    /// Of the signed file, in the bucket or in the release's folder; safe to print.
    path: []const u8,

    pub fn parse(text: []const u8) error{NotPitlane}!Comment {
        @setRuntimeSafety(true);
        var words = std.mem.splitScalar(u8, text, ' ');
        if (!std.mem.eql(u8, words.first(), "pitlane")) return error.NotPitlane;
        const name = words.next() orelse return error.NotPitlane;
        const version = words.next() orelse return error.NotPitlane;
        const file = words.next() orelse return error.NotPitlane;
        if (words.next() != null) return error.NotPitlane;
        if (!isWord(name) or !isWord(version)) return error.NotPitlane;
        const prefix = "file:";
        if (!std.mem.startsWith(u8, file, prefix)) return error.NotPitlane;
        const path = file[prefix.len..];
        if (!path_rules.isRelative(path)) return error.NotPitlane;
        return .{ .release = .{ .name = name, .version = version }, .path = path };
    }

    /// Whether the comment speaks of the file at `path` (relative to the release's folder): one of the two paths ends in the
    /// other, whole segments only.
    pub fn names(self: *const Comment, path: []const u8) bool {
        return endsInSegments(self.path, path) or endsInSegments(path, self.path);
    }
};

fn endsInSegments(whole: []const u8, end: []const u8) bool {
    @setRuntimeSafety(true);
    if (!std.mem.endsWith(u8, whole, end)) return false;
    return whole.len == end.len or whole[whole.len - end.len - 1] == '/';
}

/// Printable ASCII without spaces and `@`.
fn isWord(text: []const u8) bool {
    for (text) |c| if (c <= ' ' or c > '~' or c == '@') return false;
    return text.len > 0;
}

test "the comment of a release" {
    const comment = try Comment.parse("pitlane garage v1.2.0 file:_releases/v1.2.0/SHA256SUMS");
    try std.testing.expectEqualStrings("garage", comment.release.name);
    try std.testing.expectEqualStrings("v1.2.0", comment.release.version);
    try std.testing.expect(comment.release.eql(try .fromText("garage@v1.2.0")));
    try std.testing.expect(!comment.release.eql(try .fromText("garage@v1.2.00")));
    try std.testing.expect(!comment.release.eql(try .fromText("garag@v1.2.0")));
    try std.testing.expect(comment.names("SHA256SUMS"));
    try std.testing.expect(!comment.names("x/SHA256SUMS"));
    try std.testing.expect(!comment.names("256SUMS"));
    try std.testing.expect(!comment.names("release.json"));
}

test "a path in the folder is enough, and so is the name alone" {
    const full = try Comment.parse("pitlane g v1 file:x86_64/g");
    try std.testing.expect(full.names("x86_64/g"));
    try std.testing.expect(!full.names("aarch64/g"));
    const name = try Comment.parse("pitlane g v1 file:g");
    try std.testing.expect(name.names("x86_64/g"));
    try std.testing.expect(!name.names("x86_64/gg"));
}

test "other comments are not Pitlane's" {
    for ([_][]const u8{
        "",                                      "pitlane",                          "pitlane g v1",
        "timestamp:1700000000\tfile:SHA256SUMS", "pitlane g v1 file:",               "pitlane g v1 file:../SHA256SUMS",
        "pitlane g v1 file:/SHA256SUMS",         "pitlane g v1 file:a b",            "pitlane  v1 file:SHA256SUMS",
        "pitlane g v1 path:SHA256SUMS",          "pitlane g\x1b v1 file:SHA256SUMS", "pitlane g v1 file:SHA256SUMS ",
        "Pitlane g v1 file:SHA256SUMS",          "pitlane g@ v1 file:SHA256SUMS",
    }) |text| try std.testing.expectError(error.NotPitlane, Comment.parse(text));
    for ([_][]const u8{ "", "@", "g", "g@", "@v1", "g@v1@", "g @v1" }) |text| {
        try std.testing.expectError(error.InvalidRelease, Release.fromText(text));
    }
}
