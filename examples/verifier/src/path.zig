//! Paths inside a release: what a key of the bucket may look like.

const std = @import("std");

/// Bytes.
pub const max_length = 1024;

/// Relative, `/` between segments, only letters, digits and `._+-`, no segment `.` or `..`: so it stays in its folder, means the
/// same to every system and may be printed.
pub fn isRelative(path: []const u8) bool {
    if (path.len == 0 or path.len > max_length) return false;
    var segments = std.mem.splitScalar(u8, path, '/');
    while (segments.next()) |segment| {
        if (segment.len == 0 or std.mem.eql(u8, segment, ".") or std.mem.eql(u8, segment, "..")) return false;
        for (segment) |c| switch (c) {
            'A'...'Z', 'a'...'z', '0'...'9', '.', '_', '+', '-' => {},
            else => return false,
        };
    }
    return true;
}

/// For `{f}`: what is not printable ASCII as `\xNN`, so that a file's name cannot write over the terminal.
pub fn printable(path: []const u8) std.fmt.Alt([]const u8, writePrintable) {
    return .{ .data = path };
}

fn writePrintable(path: []const u8, writer: *std.Io.Writer) std.Io.Writer.Error!void {
    for (path) |c| switch (c) {
        ' '...'[', ']'...'~' => try writer.writeByte(c),
        else => try writer.print("\\x{x:0>2}", .{c}),
    };
}

test "paths that stay in the folder" {
    for ([_][]const u8{ "a", "SHA256SUMS", "x86_64-unknown-linux-musl/verifier", "...", "a/..b", "-", "v1.0.0+x/y_z" }) |path| {
        try std.testing.expect(isRelative(path));
    }
    for ([_][]const u8{
        "",      "/",   "/a",    "a/",    "a//b", ".",       "..",       "../a", "a/..", "a/../b",
        "a/./b", "a b", "a\\..", "a\x00", "a\nb", "\x1b[2J", "\xc3\xa9", "~",    "C:a",  "a" ** (max_length + 1),
    }) |path| try std.testing.expect(!isRelative(path));
}

test "names are made printable" {
    var buffer: [64]u8 = undefined;
    const text = try std.fmt.bufPrint(&buffer, "{f}", .{printable("a\x1b[2J\\\n\xff")});
    try std.testing.expectEqualStrings("a\\x1b[2J\\x5c\\x0a\\xff", text);
}
