//! Base64 of a length known in advance: standard alphabet, padding required, no other spelling of the same bytes.

const std = @import("std");
const decoder = std.base64.standard.Decoder;

pub fn decodeExact(comptime length: usize, text: []const u8) error{NotBase64}![length]u8 {
    // Small builds leave bounds checks out; not where bytes from outside are cut up.
    @setRuntimeSafety(true);
    const spelled = comptime std.base64.standard.Encoder.calcSize(length);
    if (text.len != spelled) return error.NotBase64;
    const size = decoder.calcSizeForSlice(text) catch return error.NotBase64;
    if (size != length) return error.NotBase64;
    var bytes: [length]u8 = undefined;
    decoder.decode(&bytes, text) catch return error.NotBase64;
    return bytes;
}

test "only the exact spelling is read" {
    try std.testing.expectEqualStrings("abcd", &try decodeExact(4, "YWJjZA=="));
    for ([_][]const u8{
        "",          "YWJjZA",   "YWJjZA=",    "YWJjZA===", "YWJjZB==", "YWJjZGU=", "YWJjZGVm",
        "YWJj\nA==", "YW=jZA==", "YWJjZA==\n", "====",      "_-JjZA==", "YWJjZ===",
    }) |text| try std.testing.expectError(error.NotBase64, decodeExact(4, text));
}
