namespace Bascule.Proxy.Http1;

/// <summary>Passes an upgrade on, from either side.</summary>
internal static class Upgrades
{
    /// <summary>"Connection: upgrade" and the Upgrade fields as sent. RFC 9110 §7.8.</summary>
    public static void Write(ref ByteWriter writer, FieldSection fields, ReadOnlySpan<byte> input)
    {
        writer.Append("Connection: upgrade\r\n"u8);
        foreach (ref readonly Field field in fields.Fields)
        {
            if (field.Known == KnownField.Upgrade)
                writer.AppendField("Upgrade"u8, field.Value.In(input));
        }
    }
}
