//! Lines of a text that end in one line feed each. What stands after the last line feed is not a line: it was cut off.

const std = @import("std");

pub const Iterator = struct {
    rest: []const u8,

    pub fn init(text: []const u8) Iterator {
        return .{ .rest = text };
    }

    /// The next line without its end, null when no complete line is left.
    pub fn next(self: *Iterator) ?[]const u8 {
        @setRuntimeSafety(true);
        const end = std.mem.indexOfScalar(u8, self.rest, '\n') orelse return null;
        const line = self.rest[0..end];
        self.rest = self.rest[end + 1 ..];
        return line;
    }

    /// What stands after the last complete line, null when there is nothing.
    pub fn unterminated(self: *Iterator) ?[]const u8 {
        if (self.rest.len == 0 or std.mem.indexOfScalar(u8, self.rest, '\n') != null) return null;
        const rest = self.rest;
        self.rest = "";
        return rest;
    }

    pub fn atEnd(self: *const Iterator) bool {
        return self.rest.len == 0;
    }
};

test "complete lines, then what was cut off" {
    var it: Iterator = .init("one\n\nthr");
    try std.testing.expectEqualStrings("one", it.next().?);
    try std.testing.expect(it.unterminated() == null);
    try std.testing.expectEqualStrings("", it.next().?);
    try std.testing.expect(it.next() == null);
    try std.testing.expect(!it.atEnd());
    try std.testing.expectEqualStrings("thr", it.unterminated().?);
    try std.testing.expect(it.atEnd());
}
