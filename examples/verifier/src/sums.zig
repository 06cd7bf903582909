//! `SHA256SUMS` as `sha256sum` writes it: 64 lower-case hex digits, two spaces (or a space and `*`), a path; one line per file.

const std = @import("std");
const lines = @import("lines.zig");
const path_rules = @import("path.zig");
const Sha256 = std.crypto.hash.sha2.Sha256;

pub const Entry = struct {
    sha256: [Sha256.digest_length]u8,
    /// Points into the text that was parsed; relative, printable, without `..`.
    path: []const u8,
};

pub const Sums = struct {
    entries: []const Entry,

    /// Bytes.
    pub const max_file_size = 1024 * 1024;
    pub const max_entries = 4096;

    pub const Problem = enum { empty, too_many, cut_off, malformed, unsafe_path, twice };
    pub const Result = union(enum) {
        sums: Sums,
        /// `line` counts from 1.
        refused: struct { line: usize, problem: Problem },
    };

    pub fn parse(arena: std.mem.Allocator, text: []const u8) error{OutOfMemory}!Result {
        var entries: std.ArrayList(Entry) = .empty;
        var seen: std.StringHashMapUnmanaged(void) = .empty;
        var it: lines.Iterator = .init(text);
        var line: usize = 0;
        while (it.next()) |content| {
            line += 1;
            if (entries.items.len == max_entries) return refuse(line, .too_many);
            const entry = parseLine(content) orelse return refuse(line, .malformed);
            if (!path_rules.isRelative(entry.path)) return refuse(line, .unsafe_path);
            if ((try seen.getOrPut(arena, entry.path)).found_existing) return refuse(line, .twice);
            try entries.append(arena, entry);
        }
        if (!it.atEnd()) return refuse(line + 1, .cut_off);
        if (entries.items.len == 0) return refuse(1, .empty);
        return .{ .sums = .{ .entries = entries.items } };
    }

    pub fn find(self: *const Sums, path: []const u8) ?*const Entry {
        for (self.entries) |*entry| if (std.mem.eql(u8, entry.path, path)) return entry;
        return null;
    }
};

fn refuse(line: usize, problem: Sums.Problem) Sums.Result {
    return .{ .refused = .{ .line = line, .problem = problem } };
}

fn parseLine(line: []const u8) ?Entry {
    @setRuntimeSafety(true);
    const digits = 2 * Sha256.digest_length;
    if (line.len < digits + 3) return null;
    if (line[digits] != ' ' or (line[digits + 1] != ' ' and line[digits + 1] != '*')) return null;
    for (line[0..digits]) |c| if (!std.ascii.isDigit(c) and (c < 'a' or c > 'f')) return null;
    var entry: Entry = .{ .sha256 = undefined, .path = line[digits + 2 ..] };
    _ = std.fmt.hexToBytes(&entry.sha256, line[0..digits]) catch return null;
    return entry;
}

/// For people.
pub fn explain(problem: Sums.Problem) []const u8 {
    return switch (problem) {
        .empty => "lists no file",
        .too_many => "lists too many files",
        .cut_off => "the last line was cut off",
        .malformed => "not a line of sha256sum",
        .unsafe_path => "the path is absolute, leaves the folder or has odd characters",
        .twice => "the file is listed twice",
    };
}

const zero = "0" ** 63 ++ "f";

fn expectRefused(problem: Sums.Problem, line: usize, text: []const u8) !void {
    var arena: std.heap.ArenaAllocator = .init(std.testing.allocator);
    defer arena.deinit();
    const result = try Sums.parse(arena.allocator(), text);
    try std.testing.expectEqual(problem, result.refused.problem);
    try std.testing.expectEqual(line, result.refused.line);
}

test "what sha256sum writes is read" {
    var arena: std.heap.ArenaAllocator = .init(std.testing.allocator);
    defer arena.deinit();
    const text = zero ++ "  a/b\n" ++ zero ++ " *c\n";
    const sums = (try Sums.parse(arena.allocator(), text)).sums;
    try std.testing.expectEqual(2, sums.entries.len);
    try std.testing.expectEqualStrings("a/b", sums.entries[0].path);
    try std.testing.expectEqual(15, sums.find("c").?.sha256[31]);
    try std.testing.expect(sums.find("b") == null);
}

test "everything else is refused, with its line" {
    try expectRefused(.empty, 1, "");
    try expectRefused(.malformed, 1, "\n");
    try expectRefused(.cut_off, 1, zero ++ "  a");
    try expectRefused(.cut_off, 2, zero ++ "  a\n" ++ zero[0..10]);
    try expectRefused(.malformed, 1, zero ++ "  \n");
    try expectRefused(.malformed, 1, zero ++ " a\n");
    try expectRefused(.malformed, 1, "\\" ++ zero ++ "  a\n");
    try expectRefused(.malformed, 1, "F" ++ zero[1..] ++ "  a\n");
    try expectRefused(.malformed, 1, "g" ++ zero[1..] ++ "  a\n");
    try expectRefused(.unsafe_path, 2, zero ++ "  a\n" ++ zero ++ "  ../a\n");
    try expectRefused(.unsafe_path, 1, zero ++ "  /etc/passwd\n");
    try expectRefused(.unsafe_path, 1, zero ++ "  a\r\n");
    try expectRefused(.unsafe_path, 1, zero ++ "  " ++ "a" ** 5000 ++ "\n");
    try expectRefused(.twice, 2, zero ++ "  a\n" ++ zero ++ "  a\n");
}

test "the number of lines is limited" {
    var text: std.ArrayList(u8) = .empty;
    defer text.deinit(std.testing.allocator);
    for (0..Sums.max_entries + 1) |n| try text.print(std.testing.allocator, "{s}  f{d}\n", .{ zero, n });
    try expectRefused(.too_many, Sums.max_entries + 1, text.items);
}
